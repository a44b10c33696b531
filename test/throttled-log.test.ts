import { beforeEach, expect, test } from "bun:test";
import { createThrottledLog } from "../src/throttled-log";
import { ManualClock } from "./support/manual-clock";
import { recordingLog } from "./support/recording-log";

let clock: ManualClock;
let log: ReturnType<typeof recordingLog>;
let throttled: ReturnType<typeof createThrottledLog>;

beforeEach(() => {
  clock = new ManualClock();
  log = recordingLog();
  throttled = createThrottledLog(log, clock);
});

const fail = (times: number, hook: string, host = "a.example.com") => {
  for (let i = 0; i < times; i++) throttled.warn({ hook, host, event: `EV_${i}` }, "Not delivered yet");
};
const said = () => log.lines.map(({ level, fields, message }) => [level, message, fields["hook"], fields["count"]]);

test("a thousand failures of a hook are ten lines, and a number at the end of the minute", async () => {
  fail(1_000, "hk_1");
  expect(log.lines).toHaveLength(10);
  await clock.turn(60_000);
  expect(log.lines.slice(10)).toEqual([
    {
      level: "warn",
      message: "Left out of the log, more of: Not delivered yet",
      fields: { hook: "hk_1", host: "a.example.com", count: 990 },
    },
  ]);
  expect(clock.waits).toEqual([]);
});

test("another hook, another message and another level have lines of their own", () => {
  fail(20, "hk_1");
  fail(2, "hk_2");
  throttled.error({ hook: "hk_1" }, "Not delivered yet");
  throttled.warn({ hook: "hk_1" }, "A delivery expired");
  expect(log.lines).toHaveLength(14);
});

test("the next minute has its ten again, behind the number of the last one", async () => {
  fail(12, "hk_1");
  await clock.turn(60_000);
  fail(1, "hk_1");
  expect(said().slice(10)).toEqual([
    ["warn", "Left out of the log, more of: Not delivered yet", "hk_1", 2],
    ["warn", "Not delivered yet", "hk_1", undefined],
  ]);
});

test("what is no failure is never left out", () => {
  for (let i = 0; i < 50; i++) throttled.info({}, "Delivered");
  for (let i = 0; i < 50; i++) throttled.debug({}, "Not delivered yet");
  expect(log.lines).toHaveLength(100);
});

test("at the end it says what it has left out so far", () => {
  fail(11, "hk_1");
  throttled.flush();
  expect(said().at(-1)).toEqual(["warn", "Left out of the log, more of: Not delivered yet", "hk_1", 1]);
  expect(clock.waits).toEqual([]);
});
