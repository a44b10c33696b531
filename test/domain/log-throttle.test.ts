import { expect, test } from "bun:test";
import { array, assert, constantFrom, nat, property, record } from "fast-check";
import { LogThrottle } from "../../src/domain/log-throttle";

const RULE = { first: 3, windowMs: 1_000, kinds: 4 };
const kinds = constantFrom("a", "b", "c", "d", "e", "f");
const lines = array(record({ kind: kinds, after: nat({ max: 700 }) }), { maxLength: 200 });

test("whatever comes: what is written and what is counted is what came, and no kind is written more often than the rule says", () => {
  assert(
    property(lines, (all) => {
      const throttle = new LogThrottle(RULE);
      let now = 0;
      let counted = 0;
      const written: { kind: string; at: number }[] = [];
      for (const { kind, after } of all) {
        now += after;
        for (const { count } of throttle.takeDue(now)) counted += count;
        if (throttle.note(kind, now).say) written.push({ kind, at: now });
      }
      for (const { count } of throttle.takeDue(Infinity)) counted += count;
      expect(written.length + counted).toBe(all.length);
      for (const { kind, at } of written) {
        const same = written.filter((other) => other.kind === kind && other.at >= at && other.at < at + RULE.windowMs);
        // Two windows of a kind at most meet in a stretch of one's length, and two of those that share what is left.
        expect(same.length).toBeLessThanOrEqual(RULE.first * 4);
      }
    }),
  );
});

test("of each kind the first are written, and the window's end says how many there were more", () => {
  const throttle = new LogThrottle(RULE);
  const verdicts = Array.from({ length: 5 }, () => throttle.note("a", 10).say);
  expect(verdicts).toEqual([true, true, true, false, false]);
  expect(throttle.note("b", 500).say).toBe(true);
  expect([throttle.takeDue(1_009), throttle.untilDue(1_009)]).toEqual([[], 1]);
  expect(throttle.takeDue(1_010)).toEqual([{ kind: "a", count: 2 }]);
  expect(throttle.note("a", 1_010).say).toBe(true);
  expect(throttle.untilDue(1_010)).toBe(490);
});

test("a window in which nothing was left out ends silently", () => {
  const throttle = new LogThrottle(RULE);
  throttle.note("a", 0);
  expect([throttle.takeDue(5_000), throttle.untilDue(5_000)]).toEqual([[], undefined]);
});

test("kinds that there is no room for share one", () => {
  const throttle = new LogThrottle(RULE);
  for (const kind of ["a", "b", "c", "d"]) throttle.note(kind, 0);
  const verdicts = Array.from({ length: 6 }, (_, i) => throttle.note(`more ${i}`, 0).say);
  expect(verdicts).toEqual([true, true, true, false, false, false]);
  expect(throttle.takeDue(1_000)).toEqual([{ kind: "", count: 3 }]);
});
