import { afterEach, beforeEach, expect, test } from "bun:test";
import { answered, callerOf, StartedService } from "../../support/started-service";

let it: StartedService;

beforeEach(async () => {
  it = await StartedService.start();
});

afterEach(() => it.end());

const lines = (): Record<string, unknown>[] =>
  it.log.lines.filter(({ message }) => message === "Call ended").map(({ level, fields }) => ({ level, ...fields }));

test("a call that has ended has one line: whose it is, how long it was, what became of its events", async () => {
  const room = { sid: "RM_1", name: "sip-RM_1" };
  const participant = callerOf("RM_1", "one.a.example.com");
  await it.webhook("room_started", { room });
  await it.webhook("participant_joined", { room, participant });
  await it.clock.turn(3_000);
  await it.webhook("room_finished", { room });
  expect(lines()).toEqual([]);
  await it.clock.turn(5_000);
  expect(lines()).toEqual([
    {
      level: "info",
      room: "sip-RM_1",
      room_sid: "RM_1",
      duration_ms: expect.any(Number),
      hooks: ["one.a.example.com"],
      events: 3,
      delivered: 3,
      pending: 0,
      dead: 0,
      expired: 0,
      cancelled: 0,
      held: 0,
    },
  ]);
  expect(Number(lines()[0]?.duration_ms)).toBeGreaterThanOrEqual(3_000);
});

test("what was given up, waits, or has no hook is counted as that", async () => {
  it.answer = () => answered(400);
  const room = { sid: "RM_1", name: "sip-RM_1" };
  await it.webhook("room_started", { room });
  await it.webhook("participant_joined", { room, participant: callerOf("RM_1", "one.a.example.com") });
  await it.clock.turn(8_000);
  await it.webhook("room_finished", { room });
  await it.call("RM_2", "nobody.example.com");
  await it.clock.turn(3_000);
  expect(lines()).toMatchObject([
    { room_sid: "RM_1", events: 3, delivered: 0, dead: 1, pending: 2 },
    { room_sid: "RM_2", hooks: [], events: 4, held: 4 },
  ]);
});

test("many calls at a time have their lines one after the other, and none once the service has stopped", async () => {
  for (let i = 0; i < 20; i++) await it.call(`RM_${i}`, "one.b.example.com");
  await it.clock.turn(6_000);
  expect(new Set(lines().map(({ room_sid: sid }) => sid)).size).toBe(20);
});

test("nothing is read for lines that are not written", async () => {
  await it.end();
  it = await StartedService.start({ LOG_LEVEL: "warn" });
  await it.call("RM_1", "one.a.example.com");
  await it.clock.turn(10_000);
  expect(lines()).toEqual([]);
});
