import { describe, expect, test } from "bun:test";
import { checkDeliveries, type Results } from "../../src/demo/check-deliveries";
import type { RecordedCall } from "../../src/demo/recorded-calls";
import type { Received } from "../../src/demo/tenant-server";

const call = (tenant: RecordedCall["tenant"], caller: string, ids: readonly string[]): RecordedCall => ({
  caller,
  called: `${tenant}.example.com`,
  tenant,
  story: "",
  events: ids.map((id) => ({ id, name: `name-${id}`, tellsHost: false, body: `{"id":"${id}", "event":"name-${id}"}` })),
});
const calls = [
  call("tenant-a", "+1", ["1", "2", "3"]),
  call("tenant-a", "+2", ["4", "5"]),
  call("tenant-b", "+3", ["6"]),
];
const answered = calls.flatMap((of) => of.events.map((event) => ({ call: of, event, status: 200, ms: 1 })));
const got = (id: string, change: Partial<Received> = {}): Received => {
  const of = calls.find(({ events }) => events.some((event) => event.id === id));
  const body = Buffer.from(of?.events.find((event) => event.id === id)?.body ?? "");
  return { tenant: of?.tenant ?? "tenant-a", id, body, signatureProblem: undefined, at: 0, ...change };
};
const check = (changes: Partial<Results>) =>
  checkDeliveries({ calls, answered, received: ["1", "2", "3", "4", "5", "6"].map((id) => got(id)), ...changes });
const receive = (...received: readonly Received[]) => check({ received }).problems;

test("all that was sent, delivered once, unchanged, rightly signed and in order is no problem", () => {
  const { problems, tallies } = check({});
  expect(problems).toEqual([]);
  expect(tallies).toEqual([
    { tenant: "tenant-a", sent: 5, acknowledged: 5, received: 5, verified: 5, exact: 5, inOrder: true, missing: 0 },
    { tenant: "tenant-b", sent: 1, acknowledged: 1, received: 1, verified: 1, exact: 1, inOrder: true, missing: 0 },
  ]);
});

test("calls may be interleaved: order counts within a call", () => {
  expect(receive(got("6"), got("4"), got("1"), got("5"), got("2"), got("3"))).toEqual([]);
});

describe("each of these is a problem, said exactly", () => {
  test("a missing event", () => {
    const verdict = check({ received: [got("1"), got("3"), got("4"), got("5"), got("6")] });
    expect(verdict.problems).toEqual(["tenant-a is missing name-2 (2, call from +1)."]);
    expect(verdict.tallies[0]).toMatchObject({ received: 4, missing: 1, inOrder: true });
  });

  test("a broken order", () => {
    const verdict = check({ received: [got("2"), got("1"), got("3"), got("4"), got("5"), got("6")] });
    expect(verdict.problems).toEqual(["tenant-a got the call from +1 out of order: name-2, name-1, name-3."]);
    expect(verdict.tallies[0]).toMatchObject({ received: 5, missing: 0, inOrder: false });
  });

  test("a wrong signature", () => {
    const wrong = got("2", { signatureProblem: "No matching signature found" });
    const verdict = check({ received: [got("1"), wrong, got("3"), got("4"), got("5"), got("6")] });
    expect(verdict.problems).toEqual([
      "tenant-a cannot verify the signature of name-2 (2, call from +1): No matching signature found.",
    ]);
    expect(verdict.tallies[0]).toMatchObject({ verified: 4, exact: 5 });
  });

  test.each([
    ["changed", (body: Buffer) => Buffer.from(body.toString().replace(", ", ",\t")), 10],
    ["too many", (body: Buffer) => Buffer.concat([body, Buffer.from(" ")]), 28],
    ["missing", (body: Buffer) => body.subarray(0, -1), 27],
  ])("one byte %s", (_, change, at) => {
    const changed = got("6", { body: change(got("6").body) });
    const verdict = check({ received: [got("1"), got("2"), got("3"), got("4"), got("5"), changed] });
    expect(verdict.problems).toEqual([`tenant-b got name-6 (6, call from +3) changed, from byte ${at} on.`]);
    expect(verdict.tallies[1]).toMatchObject({ verified: 1, exact: 0 });
  });

  test("an event that came twice", () => {
    expect(receive(got("1"), got("2"), got("2"), got("3"), got("4"), got("5"), got("6"))).toEqual([
      "tenant-a got name-2 (2, call from +1) more than once.",
    ]);
  });

  test("another tenant's event", () => {
    const leaked = got("6", { tenant: "tenant-a" });
    expect(receive(got("1"), got("2"), got("3"), got("4"), got("5"), got("6"), leaked)).toEqual([
      "tenant-a got 6, which is not of its calls.",
    ]);
  });

  test.each([
    [503, "LiveKit got 503 instead of 200 for name-6 (6, call from +3)."],
    [undefined, "LiveKit got no answer instead of 200 for name-6 (6, call from +3)."],
  ])("an event that was answered %p", (status, problem) => {
    const verdict = check({ answered: answered.map((one) => (one.event.id === "6" ? { ...one, status } : one)) });
    expect(verdict.problems).toEqual([problem]);
    expect(verdict.tallies[1]).toMatchObject({ sent: 1, acknowledged: 0 });
  });

  test("an event that was not sent", () => {
    const verdict = check({ answered: answered.slice(0, -1) });
    expect(verdict.problems).toEqual(["LiveKit did not get to send name-6 (6, call from +3)."]);
    expect(verdict.tallies[1]).toMatchObject({ sent: 0, acknowledged: 0 });
  });
});
