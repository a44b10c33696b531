import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { freeSlots, type Asker, type Load } from "../../../../plugins/webhook-forwarder/dispatcher/free-slots";

const idle: Load = { total: 200, underWay: 0, slow: 0 };
const fast: Asker = { busy: 0, limit: 10, tenant: 0, slow: false };
const slow: Asker = { ...fast, slow: true };

test.each<[string, Asker, Load, number]>([
  ["all its own, when nothing is under way", fast, idle, 10],
  ["what is left of its own", { ...fast, busy: 7 }, { ...idle, underWay: 7 }, 3],
  ["nothing beyond its own limit", { ...fast, busy: 12 }, { ...idle, underWay: 12 }, 0],
  ["all its own, while less than half is under way", fast, { ...idle, underWay: 90 }, 10],
  ["what is left of half", fast, { ...idle, underWay: 96 }, 4],
  ["its first one, above half", fast, { ...idle, underWay: 100 }, 1],
  ["no second one, above half", { ...fast, busy: 1 }, { ...idle, underWay: 100 }, 0],
  ["its first one, up to the last place", fast, { ...idle, underWay: 199 }, 1],
  [
    "its first one, above half, while its tenant has less than half of it",
    { ...fast, tenant: 99 },
    { ...idle, underWay: 99 },
    1,
  ],
  ["no first one when its tenant has half", { ...fast, tenant: 100 }, { ...idle, underWay: 100 }, 0],
  [
    "no first one when its tenant has half of what others leave",
    { ...fast, tenant: 20 },
    { ...idle, underWay: 180 },
    0,
  ],
  ["nothing when all is taken", fast, { ...idle, underWay: 200 }, 0],
  ["half of what the slow ones leave", fast, { ...idle, underWay: 145, slow: 100 }, 5],
  ["as a slow one all its own, while slow ones have less than half", slow, { ...idle, underWay: 180, slow: 80 }, 10],
  ["as a slow one what is left of half", slow, { ...idle, underWay: 100, slow: 94 }, 6],
  ["as a slow one not even the first one beyond half", slow, { ...idle, underWay: 100, slow: 100 }, 0],
])("a hook gets %s", (_, asker, load, slots) => {
  expect(freeSlots(asker, load)).toBe(slots);
});

describe("hooks that begin to hang all at once", () => {
  test.each([10, 20, 50, 99])("%p of them leave a place to each of 50 others", (count) => {
    let underWay = 0;
    for (let i = 0; i < count; i++) underWay += freeSlots(fast, { ...idle, underWay });
    expect(underWay).toBeLessThanOrEqual(100 + count);
    for (let i = 0; i < Math.min(50, 200 - 100 - count); i++) {
      expect(freeSlots(fast, { ...idle, underWay })).toBeGreaterThanOrEqual(1);
      underWay++;
    }
  });
});

test.each([1, 2, 3, 6])("%p tenants whose many hooks hang leave a place to the next one", (tenants) => {
  const ofEach = Array.from({ length: tenants }, () => 0);
  for (let i = 0; i < 2_000; i++) {
    const underWay = ofEach.reduce((sum, count) => sum + count, 0);
    const tenant = i % tenants;
    const taken = freeSlots({ ...fast, limit: 1, tenant: ofEach[tenant] ?? 0 }, { ...idle, underWay });
    ofEach[tenant] = (ofEach[tenant] ?? 0) + taken;
  }
  const underWay = ofEach.reduce((sum, count) => sum + count, 0);
  expect(freeSlots(fast, { ...idle, underWay })).toBeGreaterThanOrEqual(1);
});

test("never more than the hook's own and the total, and slow ones never beyond half", () => {
  const load = fc
    .record({ total: fc.integer({ min: 1, max: 300 }), fast: fc.nat(300), slow: fc.nat(300) })
    .map(({ total, ...of }): Load => ({ total, underWay: of.fast + of.slow, slow: of.slow }));
  const asker = fc.record({
    busy: fc.nat(20),
    limit: fc.integer({ min: 1, max: 20 }),
    tenant: fc.nat(300),
    slow: fc.boolean(),
  });
  fc.assert(
    fc.property(asker, load, (hook, all) => {
      const slots = freeSlots(hook, all);
      expect(slots).toBeGreaterThanOrEqual(0);
      if (slots === 0) return;
      expect(hook.busy + slots).toBeLessThanOrEqual(hook.limit);
      expect(all.underWay + slots).toBeLessThanOrEqual(all.total);
      if (hook.slow) expect(all.slow + slots).toBeLessThanOrEqual(Math.max(all.total / 2, 1));
    }),
  );
});
