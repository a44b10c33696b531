import { expect, test } from "bun:test";
import { QueueTime } from "../../../../plugins/webhook-forwarder/dispatcher/queue-time";
import { ManualClock } from "../../../support/manual-clock";

const HOUR = 3_600_000;

async function started() {
  const clock = new ManualClock();
  return { clock, time: new QueueTime(clock), began: clock.now() };
}

test("it is the time of day, as long as nobody sets the clock", async () => {
  const { clock, time, began } = await started();
  await clock.turn(5_000);
  expect(time.now()).toBe(began + 5_000);
  expect(time.ageOf(began)).toBe(5_000);
});

test("set back, it goes on as before, so that what waits waits no longer; ages begin anew", async () => {
  const { clock, time, began } = await started();
  clock.set(began - HOUR);
  expect(time.now()).toBe(began);
  expect(time.ageOf(began - 10_000)).toBe(0);
  await clock.turn(5_000);
  expect(time.now()).toBe(began + 5_000);
  expect(time.ageOf(began - HOUR)).toBe(5_000);
});

test("set forward, it follows, and what is there has not grown older by it", async () => {
  const { clock, time, began } = await started();
  await clock.turn(5_000);
  clock.set(began + HOUR);
  expect(time.now()).toBe(began + HOUR);
  expect(time.ageOf(began)).toBe(5_000);
  // What comes from then on.
  await clock.turn(1_000);
  expect(time.ageOf(began + HOUR)).toBe(1_000);
  expect(time.ageOf(began)).toBe(6_000);
});

test("set forward and back again, it never goes back", async () => {
  const { clock, time, began } = await started();
  clock.set(began + HOUR);
  time.now();
  clock.set(began);
  expect(time.now()).toBe(began + HOUR);
  await clock.turn(5_000);
  expect(time.now()).toBe(began + HOUR + 5_000);
  expect(time.ageOf(began)).toBeLessThanOrEqual(5_000);
});

test("a clock that is slewed by milliseconds is no step", async () => {
  const { clock, time, began } = await started();
  for (let i = 0; i < 100; i++) {
    await clock.turn(1_000);
    clock.set(clock.now() + 10);
    time.now();
  }
  expect(time.ageOf(began)).toBe(101_000);
});
