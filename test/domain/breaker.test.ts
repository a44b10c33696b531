import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  abandonProbe,
  afterAttempt,
  isQuiet,
  newBreaker,
  permitOf,
  startProbe,
  type Breaker,
  type OpenBreaker,
} from "../../src/domain/breaker";
import type { Verdict } from "../../src/domain/retry-policy";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The breaker after attempts of which each is `[at, lane, verdict]`. */
function after(attempts: readonly [number, number, Verdict][], from: Breaker = newBreaker): Breaker {
  return attempts.reduce<Breaker>(
    (breaker, [at, lane, verdict]) => afterAttempt(breaker, { at, lane, verdict, retryAfter: undefined }),
    from,
  );
}

const failures = (count: number, lanes: number, gap: number): [number, number, Verdict][] =>
  Array.from({ length: count }, (_, i) => [i * gap, i % lanes, "endpoint"]);

const successes = (count: number, at: number): [number, number, Verdict][] =>
  Array.from({ length: count }, () => [at, 1, "success"]);

function opened(at = 0, retryAfter?: number): OpenBreaker {
  const before = after(failures(4, 2, 0).map(([, lane, verdict]) => [at, lane, verdict]));
  const breaker = afterAttempt(before, { at, lane: 9, verdict: "endpoint", retryAfter });
  if (breaker.kind !== "open") throw new Error("it is closed");
  return breaker;
}

function probed(breaker: OpenBreaker, at: number, verdict: Verdict, lane = 1): Breaker {
  return afterAttempt(startProbe(breaker, lane), { at, lane, verdict, retryAfter: undefined });
}

describe("it opens", () => {
  test.each<[string, [number, number, Verdict][]]>([
    ["at 5 endpoint failures in a row from two lanes", failures(5, 2, 0)],
    ["at 5 of one lane that span 10 s", failures(5, 1, 2_500)],
    [
      "when the row from two lanes had successes before it",
      [[0, 1, "success"], [0, 1, "success"], ...failures(5, 2, 1)],
    ],
    [
      "at 5 in a row among refusals of events, which do not count",
      failures(5, 2, 10).flatMap((failure): [number, number, Verdict][] => [failure, [failure[0], 3, "event"]]),
    ],
    [
      "at half of 10 within 30 s, although no 5 in a row failed",
      Array.from({ length: 10 }, (_, i) => [i * 3_000, i, i % 2 === 0 ? "success" : "endpoint"]),
    ],
  ])("%s", (_, attempts) => {
    expect(after(attempts).kind).toBe("open");
    expect(after(attempts.slice(0, -2)).kind).toBe("closed");
  });

  test("and says why", () => {
    expect(opened().reason).toBe("5 attempts in a row failed");
    const half = after(Array.from({ length: 10 }, (_, i) => [i, i, i % 2 === 0 ? "success" : "endpoint"]));
    expect(half).toMatchObject({ kind: "open", reason: "5 of the last 10 attempts failed" });
  });
});

describe("it stays closed", () => {
  test.each<[string, [number, number, Verdict][]]>([
    ["at 4 endpoint failures in a row", failures(4, 4, 5_000)],
    ["at 5 of one lane within 10 s", failures(5, 1, 2_499)],
    ["at rows of 4, each ended by a success", [...failures(4, 2, 0), ...successes(9, 0), ...failures(4, 2, 0)]],
    ["at any number of refused events", Array.from({ length: 100 }, (_, i) => [i, i, "event"])],
    ["at 410, which pauses the hook", Array.from({ length: 100 }, (_, i) => [i, i, "gone"])],
    ["at half of 9", Array.from({ length: 9 }, (_, i) => [i, i, i % 2 === 0 ? "endpoint" : "success"])],
    [
      "at half of 10 that took longer than 30 s",
      Array.from({ length: 10 }, (_, i) => [i * 4_000, i, i % 2 === 0 ? "success" : "endpoint"]),
    ],
  ])("%s", (_, attempts) => {
    expect(after(attempts).kind).toBe("closed");
  });
});

describe("while it is open", () => {
  test("probes go out after 1, 2, 5, 10, 20, 30, 30 s, one at a time", () => {
    let breaker: Breaker = opened(1_000);
    let now = 1_000;
    const waits: number[] = [];
    for (let i = 0; i < 7; i++) {
      const permit = permitOf(breaker, now);
      if (permit.kind !== "wait" || permit.until === undefined || breaker.kind !== "open") throw new Error("no wait");
      waits.push(permit.until - now);
      expect(permitOf(breaker, permit.until - 1).kind).toBe("wait");
      expect(permitOf(breaker, permit.until).kind).toBe("probe");
      expect(permitOf(startProbe(breaker, i), permit.until + HOUR)).toEqual({ kind: "wait", until: undefined });
      // A probe that hangs until its deadline does not shorten the next wait.
      now = permit.until + 10_000;
      breaker = probed(breaker, now, "endpoint", i);
    }
    expect(waits).toEqual([1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 30_000]);
  });

  test.each([
    [undefined, 1_000],
    [500, 1_000],
    [7_000, 7_000],
    [3_600_000, 30_000],
  ])("a Retry-After of %p ms makes the first wait %p", (retryAfter, wait) => {
    expect(permitOf(opened(0, retryAfter), 0)).toEqual({ kind: "wait", until: wait });
  });

  test("each probe avoids the lanes that were probed before, and the one that opened it", () => {
    let breaker = opened();
    for (const lane of [1, 2, 3]) breaker = probed(breaker, 0, "endpoint", lane) as OpenBreaker;
    expect(permitOf(breaker, HOUR)).toEqual({ kind: "probe", avoid: [9, 1, 2, 3] });
    for (let lane = 10; lane < 1_000; lane++) breaker = probed(breaker, 0, "endpoint", lane) as OpenBreaker;
    expect(breaker.probed.length).toBeLessThanOrEqual(16);
  });

  test("attempts that began before it opened decide nothing", () => {
    const breaker = opened();
    expect(
      after(
        [
          [1, 2, "success"],
          [1, 3, "endpoint"],
          [1, 4, "event"],
        ],
        breaker,
      ),
    ).toBe(breaker);
    const probing = startProbe(breaker, 1);
    expect(after([[1, 2, "success"]], probing)).toBe(probing);
  });

  test.each<Verdict>(["success", "event", "gone"])("a probe that ends in %s closes it", (verdict) => {
    expect(probed(opened(), 1_000, verdict)).toMatchObject({ kind: "closed", slots: 1 });
  });

  test("a probe that came to nothing may be made again at once", () => {
    expect(permitOf(abandonProbe(startProbe(opened(), 1)), 1_000).kind).toBe("probe");
  });
});

describe("when it has closed", () => {
  const closed = () => probed(opened(), 1_000, "success");
  const slots = (breaker: Breaker) => {
    const permit = permitOf(breaker, 2_000);
    return permit.kind === "send" ? permit.slots : undefined;
  };

  test("one attempt at a time goes out, and one more after each success", () => {
    const slotsAfter = (count: number) => slots(after(successes(count, 1_000), closed()));
    expect([0, 1, 2, 9].map(slotsAfter)).toEqual([1, 2, 3, 10]);
    expect(slotsAfter(199)).toBe(Infinity);
  });

  test("a failure begins the recovery again, but takes nothing from a hook that has recovered", () => {
    const recovering = after(
      [
        [1_000, 1, "success"],
        [1_000, 1, "success"],
        [1_000, 1, "endpoint"],
      ],
      closed(),
    );
    expect(slots(recovering)).toBe(1);
    expect(slots(after([[0, 1, "endpoint"]]))).toBe(Infinity);
  });

  test("what failed before counts no more: it takes 5 failures again", () => {
    expect(after(failures(4, 4, 1_000), closed()).kind).toBe("closed");
    expect(after(failures(5, 4, 1_000), closed())).toMatchObject({ kind: "open", failed: 0 });
  });
});

test("it is quiet, and may be forgotten, when it is closed, nothing failed last, and nothing was sent for 30 s", () => {
  expect(isQuiet(newBreaker, 0)).toBe(true);
  expect(isQuiet(after([[0, 1, "success"]]), 29_999)).toBe(false);
  expect(isQuiet(after([[0, 1, "success"]]), 31_000)).toBe(true);
  expect(isQuiet(after([[0, 1, "endpoint"]]), HOUR)).toBe(false);
  expect(isQuiet(opened(), HOUR)).toBe(false);
});

type Command =
  | {
      readonly kind: "attempt";
      readonly lane: number;
      readonly verdict: Verdict;
      readonly retryAfter: number | undefined;
    }
  | { readonly kind: "probe"; readonly verdict: Verdict | "abandoned" }
  | { readonly kind: "pass"; readonly ms: number };

const verdict = fc.constantFrom<Verdict[]>("success", "event", "gone", "endpoint", "endpoint", "endpoint");
const command = fc.oneof(
  fc.record({
    kind: fc.constant("attempt" as const),
    lane: fc.nat(3),
    verdict,
    retryAfter: fc.option(fc.nat(HOUR), { nil: undefined }),
  }),
  fc.record({ kind: fc.constant("probe" as const), verdict: fc.oneof(verdict, fc.constant("abandoned" as const)) }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(40_000) }),
  // A clock that is set, should one be handed in that can be.
  fc.record({ kind: fc.constant("pass" as const), ms: fc.constantFrom(-HOUR, HOUR) }),
);

test("whatever happens, clock steps included: it never waits longer than 30 s, and what it remembers stays small", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 200 }), (commands: readonly Command[]) => {
      let [breaker, now]: [Breaker, number] = [newBreaker, 10 * HOUR];
      for (const each of commands) {
        const before: Breaker = breaker;
        if (each.kind === "pass") now += each.ms;
        else if (each.kind === "attempt") breaker = afterAttempt(breaker, { ...each, at: now });
        else if (breaker.kind === "open" && permitOf(breaker, now).kind === "probe") {
          const probing = startProbe(breaker, 7);
          breaker =
            each.verdict === "abandoned"
              ? abandonProbe(probing)
              : afterAttempt(probing, { lane: 7, verdict: each.verdict, at: now, retryAfter: undefined });
          expect(breaker.kind).toBe(each.verdict === "endpoint" || each.verdict === "abandoned" ? "open" : "closed");
        }
        // Only endpoint failures open it, and only probes close it.
        if (before.kind === "closed" && breaker.kind === "open") {
          expect(each).toMatchObject({ kind: "attempt", verdict: "endpoint" });
        }
        if (before.kind === "open" && breaker.kind === "closed") expect(each.kind).toBe("probe");
        const permit = permitOf(breaker, now);
        if (permit.kind === "wait" && permit.until !== undefined)
          expect(permit.until - now).toBeLessThanOrEqual(30_000);
        if (breaker.kind === "open") expect(permitOf(breaker, now + 30_000).kind).toBe("probe");
        else expect(breaker.recent.length).toBeLessThanOrEqual(30);
        if (permit.kind === "send") expect(permit.slots).toBeGreaterThanOrEqual(1);
      }
    }),
  );
});
