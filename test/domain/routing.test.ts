import { describe, expect, test } from "bun:test";
import { newCall, type CallMemory } from "../../src/domain/call";
import { eventId, hookIdFrom, participantSid, roomSid, type HookId } from "../../src/domain/ids";
import type { LiveKitEvent, Subject } from "../../src/domain/livekit-event";
import { routeEvent, type EarlierEvent, type Match } from "../../src/domain/routing";

const A = hookIdFrom("hook-a");
const B = hookIdFrom("hook-b");

/** Plays events of one call through `routeEvent`, and keeps what each hook got, in order. */
class Room {
  call: CallMemory = newCall(roomSid("RM_1"), "sip-1");
  readonly sent = new Map<HookId, string[]>();
  readonly held = new Set<string>();
  readonly #events: { name: string; earlier: EarlierEvent }[] = [];

  play(name: string, subject: Subject, match?: Match): this {
    const event: LiveKitEvent = {
      id: eventId(`EV_${name}`),
      name,
      createdAt: 1,
      roomName: "sip-1",
      roomSid: roomSid("RM_1"),
      subject,
    };
    const routing = routeEvent(this.call, event, match, (which) =>
      this.#events.filter((e) => which === "all" || this.held.has(e.name)).map((e) => e.earlier),
    );
    const seq = this.#events.length;
    this.#events.push({
      name,
      earlier: { seq, subject: subject.kind === "participant" ? subject.sid : subject.kind },
    });
    if (routing.held) this.held.add(name);
    for (const { event: which, hook } of routing.deliveries) {
      const sent = this.#events[which === "this" ? seq : which]?.name ?? "";
      this.held.delete(sent);
      this.sent.set(hook, [...(this.sent.get(hook) ?? []), sent]);
    }
    this.call = routing.call;
    return this;
  }

  of(hook: HookId): string[] {
    return this.sent.get(hook) ?? [];
  }
}

const room: Subject = { kind: "room" };
const unreadable: Subject = { kind: "unreadable" };
const to = (hook: HookId): Match => ({ kind: "hook", hook, matcher: "exact-host", host: undefined });
const none: Match = { kind: "none", host: undefined };
const sip = (sid: string): Subject => {
  return {
    kind: "participant",
    sid: participantSid(sid),
    identity: undefined,
    sip: true,
    attributes: { "sip.callID": sid },
  };
};
const agent = (sid: string): Subject => {
  return { kind: "participant", sid: participantSid(sid), identity: undefined, sip: false, attributes: undefined };
};
const track = (sid: string): Subject => {
  return { kind: "participant", sid: participantSid(sid), identity: undefined, sip: undefined, attributes: undefined };
};

describe("a call with one caller", () => {
  test("its hook gets the whole call, room_started included, in order", () => {
    const call = new Room()
      .play("room_started", room)
      .play("joined", sip("P"), to(A))
      .play("track", track("P"))
      .play("agent", agent("G"))
      .play("agent track", track("G"))
      .play("left", sip("P"), to(A))
      .play("room_finished", room);
    expect(call.of(A)).toEqual(["room_started", "joined", "track", "agent", "agent track", "left", "room_finished"]);
    expect(call.held.size).toBe(0);
  });

  test("without participant_joined the caller is decided by participant_left, and nothing is missing", () => {
    const call = new Room().play("room_started", room).play("track", track("P")).play("left", sip("P"), to(A));
    expect(call.of(A)).toEqual(["room_started", "track", "left"]);
  });

  test("a participant is decided once: a later match for another hook changes nothing", () => {
    const call = new Room().play("joined", sip("P"), to(A)).play("left", sip("P"), to(B));
    expect(call.of(A)).toEqual(["joined", "left"]);
    expect(call.of(B)).toEqual([]);
  });

  test("events before the caller is known are held, and go out before its own", () => {
    const call = new Room().play("room_started", room).play("agent", agent("G"));
    expect([...call.held]).toEqual(["room_started", "agent"]);
    call.play("joined", sip("P"), to(A));
    expect(call.of(A)).toEqual(["room_started", "agent", "joined"]);
    expect(call.held.size).toBe(0);
  });

  test("events after room_finished still follow the call", () => {
    const call = new Room().play("joined", sip("P"), to(A)).play("room_finished", room).play("egress_ended", room);
    expect(call.of(A)).toEqual(["joined", "room_finished", "egress_ended"]);
  });
});

describe("callers of two tenants in one room", () => {
  const conference = new Room()
    .play("room_started", room)
    .play("a joined", sip("PA"), to(A))
    .play("a track", track("PA"))
    .play("agent", agent("G"))
    .play("b joined", sip("PB"), to(B))
    .play("b track", track("PB"))
    .play("agent track", track("G"))
    .play("b left", sip("PB"), to(B))
    .play("a left", sip("PA"), to(A))
    .play("room_finished", room);

  test("each gets its own caller and the events of no caller", () => {
    expect(conference.of(A)).toEqual([
      "room_started",
      "a joined",
      "a track",
      "agent",
      "agent track",
      "a left",
      "room_finished",
    ]);
  });

  test("the tenant that comes second gets what went to every hook before, before its own caller", () => {
    expect(conference.of(B)).toEqual([
      "room_started",
      "agent",
      "b joined",
      "b track",
      "agent track",
      "b left",
      "room_finished",
    ]);
  });

  test("what is about a participant of whom only the sid is known goes to nobody until it is known", () => {
    const call = new Room().play("a joined", sip("PA"), to(A)).play("b track", track("PB"));
    expect(call.of(A)).toEqual(["a joined"]);
    expect([...call.held]).toEqual(["b track"]);
    call.play("b left", sip("PB"), to(B));
    expect(call.of(A)).toEqual(["a joined"]);
    expect(call.of(B)).toEqual(["b track", "b left"]);
  });

  test("a late agent's held events go to every hook once it is known to be no caller", () => {
    const call = new Room()
      .play("a joined", sip("PA"), to(A))
      .play("b joined", sip("PB"), to(B))
      .play("agent track", track("G"))
      .play("agent left", agent("G"));
    expect(call.of(A)).toEqual(["a joined", "agent track", "agent left"]);
    expect(call.of(B)).toEqual(["b joined", "agent track", "agent left"]);
  });

  test("an event about a participant that cannot be read goes to nobody", () => {
    const call = new Room().play("joined", sip("P"), to(A)).play("broken", unreadable).play("b", sip("Q"), to(B));
    expect(call.of(A)).toEqual(["joined"]);
    expect(call.of(B)).toEqual(["b"]);
    expect([...call.held]).toEqual(["broken"]);
  });
});

describe("a SIP participant that no hook matches", () => {
  test("follows the room's hooks, such as an outbound leg", () => {
    const call = new Room()
      .play("a joined", sip("PA"), to(A))
      .play("leg joined", sip("L"), none)
      .play("leg track", track("L"))
      .play("leg left", sip("L"), none);
    expect(call.of(A)).toEqual(["a joined", "leg joined", "leg track", "leg left"]);
  });

  test("is held while the room has none, and goes to the hook that comes later, in order", () => {
    const call = new Room().play("room_started", room).play("leg joined", sip("L"), none);
    expect([...call.held]).toEqual(["room_started", "leg joined"]);
    call.play("leg track", track("L")).play("a joined", sip("PA"), to(A));
    expect(call.of(A)).toEqual(["room_started", "leg joined", "leg track", "a joined"]);
  });

  test("is reported once, and only when it is decided", () => {
    const call = newCall(roomSid("RM_1"), "sip-1");
    const event = (subject: Subject): LiveKitEvent => {
      return { id: eventId("EV"), name: "x", createdAt: 1, roomName: "sip-1", roomSid: call.roomSid, subject };
    };
    const first = routeEvent(call, event(sip("P")), none, () => []);
    expect(first).toMatchObject({ held: true, unmatchedParticipant: true });
    const second = routeEvent(first.call, event(sip("P")), none, () => []);
    expect(second).toMatchObject({ held: true, unmatchedParticipant: false });
  });

  test("a SIP participant without attributes waits for an event that carries them", () => {
    const bare: Subject = {
      kind: "participant",
      sid: participantSid("P"),
      identity: undefined,
      sip: true,
      attributes: undefined,
    };
    const call = new Room().play("joined", bare).play("left", sip("P"), to(A));
    expect(call.of(A)).toEqual(["joined", "left"]);
  });
});

test("two hooks of one call each keep their order whatever else happens in the room", () => {
  const call = new Room();
  for (let i = 0; i < 20; i++) call.play(`room ${i}`, room);
  call.play("a", sip("PA"), to(A));
  for (let i = 20; i < 40; i++) call.play(`room ${i}`, room);
  call.play("b", sip("PB"), to(B));
  const shared = (names: string[]) => names.filter((name) => name.startsWith("room"));
  const inOrder = Array.from({ length: 40 }, (_, i) => `room ${i}`);
  expect(shared(call.of(A))).toEqual(inOrder);
  expect(shared(call.of(B))).toEqual(inOrder);
});
