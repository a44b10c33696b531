import { describe, expect, test } from "bun:test";
import type { CallDetail } from "../../plugins/history/call-schemas";
import { callTimeline } from "../../src/cli/calls/call-timeline";
import { renderTimeline } from "../../src/cli/calls/render-timeline";

type Event = CallDetail["events"][number];
type Delivery = Event["deliveries"][number];

const BEGAN = Date.parse("2026-11-21T22:50:00.000Z");
const at = (ms: number) => new Date(BEGAN + ms).toISOString();

const delivery = (change: Partial<Delivery>): Delivery => ({
  id: 7,
  state: "delivered",
  webhook_id: "EV_1",
  event: "room_started",
  room: "sip-1",
  room_sid: "RM_1",
  hook: { host: "a.example.com", auth_id: "a" },
  received_at: at(0),
  queued_at: at(0),
  attempt_count: 0,
  replay: false,
  attempts: [],
  ...change,
});

const event = (change: Partial<Event>): Event => ({
  webhook_id: "EV_1",
  event: "room_started",
  received_at: at(0),
  kept_at: at(1),
  state: "routed",
  deliveries: [],
  ...change,
});

const draw = (...events: Event[]) =>
  renderTimeline(callTimeline({ events }), { beganAt: BEGAN, paint: (_, text) => text }).map((line) =>
    line.trim().replaceAll(/ {2,}/g, "  "),
  );
const attempt = (n: number, ms: number, status: number) => ({ n, at: at(ms), duration_ms: 50, status });

describe("a call's timeline", () => {
  test("has LiveKit's events, what became of them here, attempts, and the waits between them, in the order of time", () => {
    const attempts = [attempt(1, 10, 503), attempt(2, 1060, 200)];
    const later = event({ webhook_id: "EV_2", event: "room_finished", received_at: at(500), kept_at: at(502) });
    expect(draw(event({ deliveries: [delivery({ attempts })] }), later)).toEqual([
      "+0.000  LiveKit  -> room_started",
      "+0.001  sayna-sip  |  room_started: kept for a.example.com",
      "+0.010  a.example.com  <- room_started: attempt 1: 503 in 50 ms",
      "+0.060  a.example.com  .. room_started: waited 1.0 s",
      "+0.500  LiveKit  -> room_finished",
      "+0.502  sayna-sip  |  room_finished: kept, and no hook wants it",
      "+1.060  a.example.com  <- room_started: attempt 2: 200 in 50 ms",
    ]);
  });

  test("says what was held for its hook, what is held, and what has none", () => {
    expect(draw(event({ deliveries: [delivery({ queued_at: at(300) })] }))).toEqual([
      "+0.000  LiveKit  -> room_started",
      "+0.001  sayna-sip  |  room_started: kept for a.example.com",
      "+0.300  sayna-sip  |  room_started: queued for a.example.com, held for 300 ms",
    ]);
    expect(draw(event({ state: "held" })).at(-1)).toEndWith("room_started: kept, held until its call has a hook");
    expect(draw(event({ state: "unmatched" })).at(-1)).toEndWith("room_started: kept, and no hook matches");
  });

  test("says how late LiveKit was, beyond its whole seconds", () => {
    expect(draw(event({ created_at: at(-2_000) }))[0]).toEndWith("-> room_started");
    expect(draw(event({ created_at: at(-9_000) }))[0]).toEndWith("-> room_started (made 9.0 s earlier)");
  });

  test("marks each gap with its reason, and what became of sending it again", () => {
    const dead = { state: "dead", reason: "6 attempts failed", settled_at: at(900) } as const;
    expect(draw(event({ deliveries: [delivery(dead)] })).at(-1)).toBe(
      "+0.900  a.example.com  ## GAP room_started: dead, 6 attempts failed (delivery 7)",
    );
    const again = { ...dead, replayed_by: { id: 9, state: "delivered" } };
    const replayed = delivery({ id: 9, replay: true, queued_at: at(5000), attempts: [attempt(1, 5010, 204)] });
    expect(draw(event({ deliveries: [delivery(again), replayed] })).slice(2)).toEqual([
      "+0.900  a.example.com  ## GAP room_started: dead, 6 attempts failed (delivery 7); sent again as delivery 9: delivered",
      "+5.000  sayna-sip  |  room_started: queued again for a.example.com, as delivery 9",
      "+5.010  a.example.com  <- room_started: 204 in 50 ms",
    ]);
  });

  test("says what is pending, and what it waits for", () => {
    const pending = { state: "pending" } as const;
    const last = (change: Partial<Delivery>) =>
      draw(event({ deliveries: [delivery({ ...pending, ...change })] })).at(-1);
    expect(last({ waits_for: 3 })).toEndWith("?? room_started: not arrived yet, after delivery 3");
    expect(last({ next_try: at(7000) })).toEndWith("not arrived yet, from 2026-11-21 22:50:07.000Z on");
    expect(last({})).toEndWith("not arrived yet, under way");
    expect(last({ delayed_by: "pause" })).toEndWith("not arrived yet, its hook is paused");
    expect(last({ delayed_by: "pause", waits_for: 3 })).toEndWith("after delivery 3, its hook is paused");
    expect(last({ delayed_by: "breaker", next_try: at(7000) })).toEndWith(
      "not arrived yet, from 2026-11-21 22:50:07.000Z on, its hook's breaker is open",
    );
  });

  test("gives every item a key of its own, so that following shows nothing twice", () => {
    const attempts = [attempt(1, 10, 503), attempt(2, 1060, 503)];
    const two = [delivery({ attempts }), delivery({ id: 8, hook: { host: "b.example.com" }, attempts })];
    const keys = callTimeline({ events: [event({ deliveries: two }), event({ webhook_id: "EV_2" })] }).map(
      ({ key }) => key,
    );
    expect(new Set(keys).size).toBe(keys.length);
  });
});
