import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { hookIdFrom, roomSid, type HookId } from "../../src/domain/ids";
import { readLiveKitEvent, type LiveKitEvent } from "../../src/domain/livekit-event";
import { routeAgain } from "../../src/domain/route-again";
import type { Match } from "../../src/domain/routing";

const A = hookIdFrom("hook-a");
const B = hookIdFrom("hook-b");

type Input = { event: LiveKitEvent; match: Match | undefined };

/** Who may be in the room: callers of A and of B, one whom nobody matches, an agent, and one of whom only tracks come. */
const CALLERS: Record<string, Match | undefined> = {
  PA_a: { kind: "hook", hook: A, matcher: "exact-host", host: undefined },
  PA_a2: { kind: "hook", hook: A, matcher: "exact-host", host: undefined },
  PA_b: { kind: "hook", hook: B, matcher: "exact-host", host: undefined },
  PA_none: { kind: "none", host: undefined },
};

function joined(sid: string): Input {
  const match = CALLERS[sid];
  const participant =
    match === undefined ? { sid, kind: "AGENT" } : { sid, kind: "SIP", attributes: { "sip.callID": "1" } };
  return { event: read({ event: "participant_joined", participant }), match };
}

const track = (sid: string): Input => ({
  event: read({ event: "track_published", participant: { sid } }),
  match: undefined,
});
const room = (name: string): Input => ({ event: read({ event: name }), match: undefined });

function read(json: Record<string, unknown>): LiveKitEvent {
  return readLiveKitEvent({ id: "EV", room: { sid: "RM_1", name: "sip-1" }, ...json }, new Uint8Array());
}

const route = (events: readonly Input[]) => routeAgain(roomSid("RM_1"), "sip-1", events);
const sentTo = (events: readonly Input[], hook: HookId) =>
  route(events).deliveries.flatMap((delivery) => (delivery.hook === hook ? [delivery.event] : []));

describe("a call that is routed again", () => {
  test("goes whole to the hook of its caller, in order", () => {
    const events = [room("room_started"), joined("PA_a"), track("PA_a"), joined("PA_agent"), room("room_finished")];
    expect(sentTo(events, A)).toEqual([0, 1, 2, 3, 4]);
    expect(sentTo(events, B)).toEqual([]);
  });

  test("goes nowhere when nobody matches", () => {
    const { call, deliveries } = route([room("room_started"), joined("PA_none"), room("room_finished")]);
    expect([call.hooks, deliveries]).toEqual([[], []]);
  });

  test("names the event that decided each participant", () => {
    const { deciders } = route([
      room("room_started"),
      track("PA_a"),
      joined("PA_a"),
      joined("PA_agent"),
      joined("PA_a"),
    ]);
    expect(Object.fromEntries(deciders)).toEqual({ PA_a: 2, PA_agent: 3 });
  });

  const anyEvent = fc.oneof(
    fc.constantFrom("PA_a", "PA_a2", "PA_b", "PA_none", "PA_agent").map(joined),
    fc.constantFrom("PA_a", "PA_b", "PA_none", "PA_agent", "PA_unknown").map(track),
    fc.constantFrom("room_started", "room_finished", "egress_started").map(room),
  );

  test("whatever its events are: no hook gets another one's caller, none gets an event twice, the room's go to each", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 20 }), (events) => {
        const { call } = route(events);
        for (const [hook, others] of [
          [A, ["PA_b", "PA_unknown"]],
          [B, ["PA_a", "PA_a2", "PA_unknown"]],
        ] as const) {
          const sent = sentTo(events, hook);
          expect(new Set(sent).size).toBe(sent.length);
          const subjects = sent.map((index) => events[index]?.event.subject);
          const sids = subjects.flatMap((subject) => (subject?.kind === "participant" ? [String(subject.sid)] : []));
          expect(sids.filter((sid) => others.some((other) => other === sid))).toEqual([]);
          const ofRoom = events.flatMap(({ event }, index) => (event.subject.kind === "room" ? [index] : []));
          expect(ofRoom.every((index) => sent.includes(index))).toBe(call.hooks.includes(hook) || ofRoom.length === 0);
        }
      }),
    );
  });
});
