import { expect, test } from "bun:test";
import { newMeasures, statusClass } from "../../../src/contracts/measures";
import { systemClock } from "../../../src/contracts/clock";

/** Everything that is measured of one event with one delivery, its readings of the clock included. */
function measureOne(measures: ReturnType<typeof newMeasures>, n: number): void {
  const begun = systemClock.monotonic();
  measures.lateness.add((n % 1000) / 1000);
  measures.commitEvents.add(n % 20);
  measures.commit.add((systemClock.monotonic() - begun) / 1000);
  measures.acknowledgement.add((systemClock.monotonic() - begun) / 1000);
  measures.queueing.add((n % 100) / 1000);
  measures.attempts.success.add((n % 300) / 1000);
  measures.statuses[statusClass(200)]++;
  measures.outcomes.delivered++;
  measures.delivery.add((n % 400) / 1000);
}

test("measuring an event costs less than 2 us", () => {
  const measures = newMeasures();
  const rounds = Array.from({ length: 15 }, () => {
    const begun = performance.now();
    for (let n = 0; n < 10_000; n++) measureOne(measures, n);
    return ((performance.now() - begun) * 1000) / 10_000;
  });
  // The best of them: the machine may have been busy with something else in the others.
  expect(Math.min(...rounds)).toBeLessThan(2);
  expect(measures.delivery.counts.reduce((sum, count) => sum + count)).toBe(150_000);
});
