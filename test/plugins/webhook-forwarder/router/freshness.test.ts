import { beforeEach, describe, expect, test } from "bun:test";
import { createFreshness } from "../../../../plugins/webhook-forwarder/router/freshness";
import type { JsonObject } from "../../../../src/domain/json";
import { readLiveKitEvent } from "../../../../src/domain/livekit-event";
import { ManualClock } from "../../../support/manual-clock";
import { recordingLog } from "../../../support/recording-log";
import { recordedWebhooks } from "../../../support/recordings";
import { webhookJson } from "../../../support/webhooks";

let clock: ManualClock;
let log: ReturnType<typeof recordingLog>;
let freshness: ReturnType<typeof createFreshness>;

beforeEach(() => {
  clock = new ManualClock();
  log = recordingLog();
  freshness = createFreshness({ clock, log });
});

const read = (json: JsonObject) => readLiveKitEvent(json, new Uint8Array());

/** An event that LiveKit made so many seconds ago. */
function event(name: string, members: JsonObject = {}, secondsAgo = 0) {
  return read(webhookJson(name, { createdAt: String(Math.floor(clock.now() / 1000) - secondsAgo), ...members }));
}

const keep = (name: string, members: JsonObject = {}, secondsAgo = 0) =>
  freshness.kept(event(name, members, secondsAgo), clock.now());
const participant = (sid: string) => ({ participant: { sid, identity: sid } });
const warnings = () => log.lines.map(({ level, message, fields }) => [level, message.slice(0, 30), fields.more]);

describe("lateness", () => {
  test.each([
    [0, 0, 0],
    [1, 0, 0],
    [2, 1, 0],
    [10, 1, 0],
    [11, 1, 1],
    [40, 1, 1],
    [-20, 0, 0],
  ])("an event that says %d s ago: late %d, warnings %d", (seconds, late, warned) => {
    keep("room_started", {}, seconds);
    expect(freshness.figures).toMatchObject({ arrived: 1, late, mostLate: seconds * 1000, leastLate: seconds * 1000 });
    expect(log.lines).toHaveLength(warned);
  });

  test("of whole seconds nothing below 1.5 s counts, whatever the part of the second", async () => {
    await clock.turn(999);
    keep("room_started");
    keep("room_finished", {}, 1);
    // 1,999 ms by the clocks, and 1,000 at least in truth.
    expect(freshness.figures).toMatchObject({ late: 1, mostLate: 1999 });
  });

  test("the greatest and the least are kept, and an event without createdAt is only counted", () => {
    for (const seconds of [3, 5, 1]) keep("x", {}, seconds);
    keep("x", { createdAt: undefined });
    expect(freshness.figures).toMatchObject({ arrived: 4, late: 2, mostLate: 5000, leastLate: 1000 });
  });

  test("the warning names the event, comes once a minute, and says how many it stands for", async () => {
    for (let i = 0; i < 5; i++) keep("x", { id: `EV_${i}` }, 12);
    expect(log.lines).toMatchObject([
      { level: "warn", fields: { event: "EV_0", room: "sip-1", late_ms: 12_000, more: 0 } },
    ]);
    await clock.turn(60_000);
    keep("x", {}, 12);
    expect(warnings()[1]?.[2]).toBe(4);
  });

  test("a clock that is set does not silence or repeat it", () => {
    keep("x", {}, 12);
    clock.set(clock.now() - 3_600_000);
    keep("x", {}, 12);
    expect(log.lines).toHaveLength(1);
  });
});

describe("a room's queue at LiveKit", () => {
  /**
   * A room makes `rate` events a second, in whole seconds of `createdAt`, for `seconds`; each takes `takeMs` on its way, one
   * at a time. Returns how many really waited at the first warning, and at most.
   */
  async function run({
    rate,
    seconds,
    takeMs,
    delayMs = 0,
  }: Record<"rate" | "seconds" | "takeMs", number> & { delayMs?: number }) {
    const begun = clock.now();
    const made = Array.from({ length: rate * seconds }, (_, i) => begun + Math.floor((i * 1000) / rate));
    let atWarning: number | undefined;
    let deepest = 0;
    let line = begun;
    for (const [i, at] of made.entries()) {
      line = Math.max(line, at + delayMs) + takeMs;
      await clock.turn(line - clock.now());
      freshness.kept(event("track_published", { createdAt: String(Math.floor(at / 1000)) }), clock.now());
      const waiting = made.filter((time) => time <= line).length - i - 1;
      deepest = Math.max(deepest, waiting);
      if (backlog().length > 0) atWarning ??= waiting;
    }
    return { atWarning, deepest };
  }
  const backlog = () => log.lines.filter(({ fields }) => fields.waiting !== undefined);

  test("a burst of 300 events that are taken slowly warns, before LiveKit's 30 s have passed", async () => {
    await run({ rate: 300, seconds: 1, takeMs: 90 });
    expect(backlog()[0]).toMatchObject({
      level: "warn",
      message: expect.stringContaining("wait at LiveKit"),
      fields: { room: "sip-1", waiting: 101, more: 0 },
    });
    expect(backlog()[0]?.fields.late_ms).toBeLessThan(10_000);
  });

  test.each([
    [25, 60],
    [30, 60],
    [50, 40],
    [100, 20],
  ])(
    "at %d events a second that take %d ms each it warns with about 100 that wait, 200 at most",
    async (rate, takeMs) => {
      const { atWarning, deepest } = await run({ rate, seconds: 30, takeMs });
      expect(deepest).toBeGreaterThan(200);
      expect(atWarning).toBeGreaterThan(50);
      expect(atWarning).toBeLessThan(200);
      expect(backlog()[0]?.fields.late_ms).toBeLessThan(10_000);
    },
  );

  test.each([
    ["a fast room whose events come at once", { rate: 300, seconds: 5, takeMs: 1 }],
    ["one whose events are all half a second late", { rate: 150, seconds: 5, takeMs: 1, delayMs: 500 }],
    ["a slow one whose events are late", { rate: 2, seconds: 40, takeMs: 400, delayMs: 8_000 }],
    ["a burst that was never so deep", { rate: 90, seconds: 1, takeMs: 100 }],
  ])("%s does not", async (_, how) => {
    await run(how);
    expect(backlog()).toEqual([]);
  });

  test("the rooms are counted each for itself, and an egress beside its room", () => {
    for (let i = 0; i < 90; i++) {
      keep("track_published", {}, 5);
      keep("track_published", { room: { sid: "RM_2", name: "sip-2" } }, 5);
      keep("egress_updated", {}, 5);
    }
    expect(backlog()).toEqual([]);
  });

  test("the warning comes once a minute, and says how many it stands for", async () => {
    for (let i = 0; i < 105; i++) keep("track_published", {}, 5);
    expect(backlog()).toHaveLength(1);
    await clock.turn(60_000);
    for (let i = 0; i < 101; i++) keep("track_published", {}, 5);
    expect(backlog().map(({ fields }) => fields.more)).toEqual([0, 4]);
  });

  test("what was refused counts from its creation: the next ones waited behind it", async () => {
    const refused = event("track_published");
    for (let i = 0; i < 100; i++) keep("track_published");
    freshness.refused(refused, clock.now());
    await clock.turn(5_000);
    freshness.kept(refused, clock.now());
    expect(backlog()).toHaveLength(1);
  });
});

describe("refusals", () => {
  /** Refuses one event at these seconds after the first time, as LiveKit obeys our Retry-After: 0, 1, 3, 11, 26. */
  async function refuse(...seconds: number[]) {
    const refused = event("room_started");
    let at = 0;
    for (const second of seconds) {
      await clock.turn((second - at) * 1000);
      at = second;
      freshness.refused(refused, clock.now());
    }
    return refused;
  }

  test.each([
    [[0], []],
    [[0, 1, 3], []],
    [[0, 1, 3, 7.9], []],
    [[0, 1, 3, 8], ["warn"]],
    [[0, 1, 3, 11], ["warn"]],
    [
      [0, 1, 3, 11, 26],
      ["warn", "error"],
    ],
    [[0, 1, 2, 3, 4], ["error"]],
  ])("at %p s: lines %p", async (seconds, levels) => {
    await refuse(...seconds);
    expect(log.lines.map(({ level }) => level as string)).toEqual(levels);
  });

  test("the fifth is counted as the loss of the event", async () => {
    await refuse(0, 1, 3, 11, 26);
    expect(freshness.figures).toMatchObject({ refusedLong: 1, givenUp: 1, arrived: 0 });
    expect(log.lines.at(-1)).toMatchObject({ fields: { refused_ms: 26_000, refusals: 5 } });
  });

  test("the time of our refusals is not LiveKit's lateness", async () => {
    const refused = await refuse(0, 1, 3, 11);
    await clock.turn(15_000);
    freshness.kept(refused, clock.now());
    expect(freshness.figures).toMatchObject({ arrived: 1, late: 0, mostLate: 0 });
  });

  test("events are told apart, and forgotten after a minute", async () => {
    for (let i = 0; i < 5; i++) freshness.refused(event("x", { id: `EV_${i}` }), clock.now());
    const again = event("x", { id: "EV_0" });
    await clock.turn(60_000);
    freshness.refused(again, clock.now());
    expect(freshness.figures).toMatchObject({ refusedLong: 0, givenUp: 0 });
  });
});

describe("gaps", () => {
  const none = { outOfOrder: 0, unseenStart: 0, missingJoined: 0, missingLeft: 0 };

  test.each<[string, () => void, Partial<typeof none>]>([
    [
      "a whole call",
      () => {
        keep("room_started");
        keep("participant_joined", participant("PA_1"));
        keep("participant_left", participant("PA_1"));
        keep("room_finished");
        keep("egress_ended");
      },
      {},
    ],
    [
      "one that left without having joined",
      () => {
        keep("room_started");
        keep("participant_left", participant("PA_1"));
      },
      { missingJoined: 1 },
    ],
    [
      "but not in a room that began before this process",
      () => {
        keep("participant_joined", participant("PA_2"));
        keep("participant_left", participant("PA_1"));
      },
      { unseenStart: 1 },
    ],
    [
      "one that was aborted, which never joined",
      () => {
        keep("room_started");
        keep("participant_connection_aborted", participant("PA_1"));
        keep("room_finished");
      },
      {},
    ],
    [
      "two that had not left when the room finished",
      () => {
        keep("room_started");
        for (const sid of ["PA_1", "PA_2"]) keep("participant_joined", participant(sid));
        keep("room_finished");
      },
      { missingLeft: 2 },
    ],
    [
      "a rejoin whose leaving comes after its joining, with another sid",
      () => {
        keep("room_started");
        keep("participant_joined", participant("PA_1"));
        keep("participant_joined", participant("PA_2"));
        keep("participant_left", participant("PA_1"));
        keep("participant_left", participant("PA_2"));
        keep("room_finished");
      },
      {},
    ],
    [
      "a second room_started, when another node took the room over",
      () => {
        keep("room_started");
        keep("participant_joined", participant("PA_1"));
        keep("room_started");
        keep("participant_left", participant("PA_1"));
        keep("room_finished");
      },
      {},
    ],
    [
      "an event that is older than one that came before it",
      () => {
        keep("room_started");
        keep("participant_joined", participant("PA_1"), 3);
      },
      { outOfOrder: 1 },
    ],
    [
      "rooms do not disturb each other",
      () => {
        keep("room_started");
        keep("room_started", { room: { sid: "RM_2", name: "sip-2" } }, 3);
      },
      {},
    ],
  ])("%s", (_, run, expected) => {
    run();
    expect(freshness.figures).toMatchObject({ ...none, ...expected });
    const missing = (expected.missingJoined ?? 0) + (expected.missingLeft ?? 0);
    expect(log.lines).toHaveLength(missing > 0 ? 1 : 0);
  });

  test("the warning names the call and the event that did not come", () => {
    keep("room_started");
    keep("participant_left", participant("PA_1"));
    expect(log.lines).toMatchObject([
      { level: "warn", fields: { room: "sip-1", room_sid: "RM_1", missing: "participant_joined", more: 0 } },
    ]);
  });

  test("recorded calls have none, and no lateness worth a word", () => {
    for (const name of ["answered-call", "conference"] as const) {
      for (const { body, receivedAt } of recordedWebhooks(name)) {
        freshness.kept(read(JSON.parse(body) as JsonObject), Date.parse(receivedAt));
      }
    }
    expect(freshness.figures).toMatchObject({ ...none, late: 0 });
    expect(freshness.figures.arrived).toBeGreaterThan(20);
    expect(log.lines).toEqual([]);
  });
});
