import { describe, expect, test } from "bun:test";
import { judgeAttempt, nextSparedStep, nextStep, parseRetryAfter, type Verdict } from "../../src/domain/retry-policy";

const policy = { schedule: [1000, 5000, 15_000, 60_000, 300_000], maxAge: 86_400_000 };

test.each([
  ["success", [200, 201, 202, 204, 299]],
  ["event", [400, 413, 415, 422]],
  ["gone", [410]],
  [
    "endpoint",
    [
      100,
      199,
      300,
      301,
      302,
      304,
      307,
      308,
      401,
      403,
      404,
      405,
      406,
      408,
      409,
      429,
      500,
      502,
      503,
      504,
      599,
      undefined,
    ],
  ],
] as const)("%s", (verdict, statuses) => {
  for (const status of statuses) expect([status, judgeAttempt(status)]).toEqual([status, verdict]);
});

describe("a delivery that always fails", () => {
  function play(verdict: Verdict, random: number): (number | string)[] {
    const steps: (number | string)[] = [];
    for (let failures = 0, refusals = 0; ; failures++) {
      const step = nextStep(policy, verdict, { failures, refusals }, undefined, random);
      if (step.kind !== "retry") return [...steps, step.kind === "dead" ? step.reason : step.kind];
      if (step.refusal) refusals++;
      steps.push(step.delay);
    }
  }

  test("because of the endpoint is tried after 1 s, 5 s, 15 s, 1 min, 5 min, then it is dead", () => {
    expect(play("endpoint", 0.5)).toEqual([1000, 5000, 15_000, 60_000, 300_000, "6 attempts failed"]);
  });

  test("each wait has a jitter of 20 % either way", () => {
    expect(play("endpoint", 0)).toEqual([800, 4000, 12_000, 48_000, 240_000, "6 attempts failed"]);
    expect(play("endpoint", 1)).toEqual([1200, 6000, 18_000, 72_000, 360_000, "6 attempts failed"]);
  });

  test("because of the event is dead after three attempts", () => {
    expect(play("event", 0.5)).toEqual([1000, 5000, "the hook refused this event 3 times"]);
  });
});

test("2xx is delivered, whatever came before", () => {
  expect(nextStep(policy, "success", { failures: 99, refusals: 99 }, undefined, 0)).toEqual({ kind: "delivered" });
});

test("410 waits for the hook to be resumed, however often", () => {
  expect(nextStep(policy, "gone", { failures: 99, refusals: 0 }, 5000, 0)).toEqual({
    kind: "retry",
    delay: 0,
    refusal: false,
  });
});

test.each([
  [0, 1000],
  [1000, 1000],
  [42_000, 42_000],
  [86_400_000, 3_600_000],
])("a Retry-After of %i ms is honoured as %i ms", (asked, delay) => {
  expect(nextStep(policy, "endpoint", { failures: 0, refusals: 0 }, asked, 0)).toMatchObject({ delay });
});

describe("a delivery that failed before the start, while nothing is known of its hook since", () => {
  const spared = (schedule: readonly number[], failures: number, retryAfter?: number) =>
    nextSparedStep({ schedule }, "endpoint", { failures, refusals: 0 }, retryAfter, 0.5);

  test.each([1, 4, 5, 99])("waits as after its first failure, and is never given up: after %d", (failures) => {
    expect(spared(policy.schedule, failures)).toEqual({ kind: "retry", delay: 1000, refusal: false });
  });

  test("waits no longer than a probe would, unless it is asked to", () => {
    expect(spared([3_600_000], 1)).toMatchObject({ delay: 30_000 });
    expect(spared(policy.schedule, 1, 60_000)).toMatchObject({ delay: 60_000 });
  });

  test("is dead at its third refusal all the same", () => {
    expect(nextSparedStep(policy, "event", { failures: 3, refusals: 2 }, undefined, 0.5).kind).toBe("dead");
  });
});

describe("Retry-After", () => {
  const now = Date.parse("2026-11-21T22:50:00Z");
  test.each([
    ["120", 120_000],
    [" 5 ", 5_000],
    ["0", 0],
    ["Sat, 21 Nov 2026 22:50:30 GMT", 30_000],
    ["Sat, 21 Nov 2026 22:49:30 GMT", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["soon", undefined],
    ["99999999999999999999", undefined],
    ["", undefined],
    [undefined, undefined],
    ["2026", 2_026_000],
  ])("%p is %p ms", (value, ms) => {
    expect(parseRetryAfter(value, now)).toBe(ms);
  });
});
