import { beforeEach, describe, expect, test } from "bun:test";
import { createRetention, type RetentionDriver } from "../../../plugins/retention";
import type { RetentionLimits, Room, SweepResult } from "../../../src/contracts/upkeep";
import { ManualClock } from "../../support/manual-clock";
import { recordingLog } from "../../support/recording-log";

const limits: RetentionLimits = { delivered: 1, dead: 2, unmatched: 3, maxSize: 4 };
const MINUTE = 60_000;

let clock: ManualClock;
let log: ReturnType<typeof recordingLog>;
let retention: RetentionDriver;
let room: Room;
let answers: (SweepResult | Error)[];
let sweeps: number[];

beforeEach(() => {
  clock = new ManualClock();
  log = recordingLog();
  room = "enough";
  answers = [];
  sweeps = [];
  const began = clock.now();
  const storage = {
    room: async () => room,
    sweep: async (given: RetentionLimits, now: number) => {
      expect(given).toBe(limits);
      sweeps.push(now - began);
      const answer = answers.shift() ?? { removed: 0, more: false };
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  retention = createRetention({ storage, limits: () => limits, clock, log });
  retention.start();
});

const messages = () => log.lines.map(({ level, message }) => `${level}: ${message}`);
const warnings = () => messages().filter((message) => message.startsWith("warn"));

test("it sweeps ten seconds after the start, then every five minutes", async () => {
  await clock.turn(11 * MINUTE);
  expect(sweeps).toEqual([10_000, 310_000, 610_000]);
});

test("a sweep goes on until nothing is left, lets other work run between steps, and says how much it removed", async () => {
  answers = [
    { removed: 100, more: true },
    { removed: 0, more: true },
    { removed: 7, more: false },
  ];
  await clock.turn(11_000);
  expect(sweeps).toHaveLength(3);
  expect(log.lines).toMatchObject([{ level: "info", message: "Old events removed", fields: { events: 107 } }]);
});

test("a step that takes long is followed by a wait of four times as long", async () => {
  answers = [{ removed: 100, more: true }];
  const { monotonic } = clock;
  let ahead = 0;
  // Each look at the clock takes 5 ms.
  clock.monotonic = () => monotonic.call(clock) + (ahead += 5);
  await clock.turn(10_000);
  expect(sweeps).toHaveLength(1);
  expect(clock.waits).toContain(20);
});

describe("when room is short", () => {
  test.each(["over", "full"] as const)(
    "it sweeps at once when the storage is %s, and says so once an hour",
    async (short) => {
      await clock.turn(20_000);
      room = short;
      await clock.turn(3_000);
      expect(sweeps).toEqual([10_000, 21_000, 22_000, 23_000]);
      expect(warnings()).toHaveLength(1);
      room = "enough";
      await clock.turn(MINUTE);
      room = short;
      await clock.turn(MINUTE);
      expect(warnings()).toHaveLength(1);
      await clock.turn(60 * MINUTE);
      expect(warnings()).toHaveLength(2);
    },
  );

  test("when nothing more can be removed it warns, and sweeps every half minute only", async () => {
    await clock.turn(20_000);
    room = "stuck";
    await clock.turn(6 * MINUTE);
    expect(sweeps).toEqual([10_000, 310_000, 340_000, 370_000]);
    expect(warnings()).toHaveLength(1);
    expect(warnings()[0]).toContain("all that is left is still to be delivered");
    room = "enough";
    await clock.turn(5 * MINUTE);
    expect(messages().at(-1)).toBe("info: The storage has room again");
  });
});

test("a sweep that fails is an error in the log, and tried again after half a minute", async () => {
  answers = [new Error("SQLITE_FULL")];
  await clock.turn(45_000);
  expect(sweeps).toEqual([10_000, 40_000]);
  expect(messages()).toEqual(["error: Old events could not be removed"]);
});

test("stopped, it sweeps no more, in the middle of a sweep either", async () => {
  answers = Array.from({ length: 100 }, () => ({ removed: 100, more: true }));
  const stopping = clock.after(10_000, () => retention.stop());
  await clock.turn(20_000);
  stopping();
  expect(sweeps.length).toBeLessThanOrEqual(1);
});
