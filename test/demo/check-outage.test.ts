import { expect, test } from "bun:test";
import { checkOutage, type Outage } from "../../src/demo/check-outage";
import { OUTAGE_CALLS } from "../../src/demo/play-scenario";
import type { Received } from "../../src/demo/tenant-server";

const outage: Outage = { tenant: "tenant-a", from: 100, to: 200, refusals: 3 };
const receivedAt = (at: number): readonly Received[] =>
  OUTAGE_CALLS.flatMap(({ tenant, events }) =>
    events.map(({ id, body }) => {
      // The tenant that was down gets its events when it is back.
      const arrival = tenant === "tenant-a" ? 300 : at;
      return { tenant, id, body: Buffer.from(body), signatureProblem: undefined, at: arrival };
    }),
  );

test("an outage in which attempts were refused and the other tenant got everything is as promised", () => {
  expect(checkOutage(outage, OUTAGE_CALLS, receivedAt(150))).toEqual([]);
});

test("an outage in which nothing was tried shows nothing", () => {
  expect(checkOutage({ ...outage, refusals: 0 }, OUTAGE_CALLS, receivedAt(150))).toEqual([
    "Nothing was tried while tenant-a was down.",
  ]);
});

test("the other tenant must not have to wait for its end", () => {
  expect(checkOutage(outage, OUTAGE_CALLS, receivedAt(250))).toEqual([
    "tenant-b was held up by tenant-a: 6 of its events were not there in time.",
  ]);
});
