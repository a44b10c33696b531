import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { refill, take, untilNext, type TokenBucket } from "../../src/domain/token-bucket";

/** Takes whatever can be had at each of these times. */
function takeAt(times: readonly number[], rate: number): number {
  let [bucket, taken]: [TokenBucket | undefined, number] = [undefined, 0];
  for (const now of times) {
    const filled: TokenBucket = refill(bucket, rate, now);
    const tokens = Math.floor(filled.tokens);
    taken += tokens;
    bucket = take(filled, tokens);
  }
  return taken;
}

const everyMs = (ms: number) => Array.from({ length: ms + 1 }, (_, i) => i);

test.each([
  [1, 1 + 10],
  [5, 1 + 50],
  [50, 5 + 500],
  [1000, 100 + 10_000],
])(
  "at %p per second, %p go out in 10 s: a burst of a tenth of a second, one at least, and then the rate",
  (rate, sum) => {
    expect(Math.abs(takeAt(everyMs(10_000), rate) - sum)).toBeLessThanOrEqual(1);
  },
);

test("what was not used is not saved up", () => {
  expect(takeAt([0, 3_600_000], 50)).toBe(10);
});

test("it says how long the next one takes", () => {
  const empty = take(refill(undefined, 4, 0), 1);
  expect(untilNext(empty, 4)).toBe(250);
  expect(refill(empty, 4, 250).tokens).toBe(1);
  expect(untilNext(refill(empty, 4, 250), 4)).toBe(0);
});

test("whatever the times, set back ones included, never more than the burst and the rate; and it never stands still", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.array(fc.integer({ min: -5_000, max: 5_000 })), (rate, steps) => {
      let [now, forward] = [0, 0];
      const times = steps.map((step) => {
        now += step;
        forward += Math.max(step, 0);
        return now;
      });
      expect(takeAt(times, rate)).toBeLessThanOrEqual(Math.max(1, rate / 10) + (forward * rate) / 1000 + 1e-6);
      expect(
        untilNext(take(refill(undefined, rate, now), Math.floor(Math.max(1, rate / 10))), rate),
      ).toBeLessThanOrEqual(Math.ceil(1000 / rate));
    }),
  );
});
