import { describe, expect, test } from "bun:test";
import type { IncomingEvent } from "../../../../src/contracts/storage";
import { A, B, event, nobody, sip, to } from "../../../../src/contracts/testing/sample-events";
import { newCall } from "../../../../src/domain/call";
import { roomSid } from "../../../../src/domain/ids";
import { readLiveKitEvent } from "../../../../src/domain/livekit-event";
import { routeAgain } from "../../../../src/domain/route-again";
import { everyHook, joined, room, twoInstances } from "./two-instances";

const under = twoInstances();

describe("three instances that handle one room", () => {
  /** The events of a call that two tenants' callers are in, with an agent and what nobody may see of each other. */
  function conference(i: number): IncomingEvent[] {
    const participant = (sid: string) => ({ sid: `${sid}_${i}` });
    const a = { ...sip(`PA_a_${i}`) };
    const b = { ...sip(`PA_b_${i}`) };
    return [
      event("room_started", { room: room(i) }),
      event("participant_joined", { room: room(i), participant: a }, to(A, "a.example.com")),
      event("participant_joined", { room: room(i), participant: b }, to(B, "b.example.com")),
      event("participant_joined", { room: room(i), participant: { ...participant("PA_agent"), kind: "AGENT" } }),
      event("track_published", { room: room(i), participant: participant("PA_agent") }),
      event("track_published", { room: room(i), participant: participant("PA_a") }),
      event("track_published", { room: room(i), participant: participant("PA_b") }),
      event("participant_joined", { room: room(i), participant: sip(`PA_c_${i}`) }, nobody("c.example.com")),
      event("participant_left", { room: room(i), participant: a }, to(A, "a.example.com")),
      event("room_finished", { room: room(i) }),
    ];
  }

  test("route each event as one instance would that sees them in the order in which they were kept", async () => {
    const rooms = Array.from({ length: 15 }, (_, i) => conference(i));
    const instances = [under.one, under.two, await under.storages.open()];
    const matches = new Map(rooms.flat().map(({ event: { id }, match }) => [String(id), match]));
    // Every room's events go to all of them in turn, in batches that run at the same time.
    const commits: Promise<unknown>[] = [];
    for (let step = 0; step < 10; step++) {
      const batch = rooms.flatMap((events) => events[step] ?? []);
      for (const [i, instance] of instances.entries()) {
        const part = batch.filter((_, n) => (n + step) % instances.length === i);
        commits.push(instance.commit(part, everyHook));
      }
    }
    await Promise.all(commits);

    for (let i = 0; i < rooms.length; i++) {
      const sid = roomSid(`RM_${i}`);
      const { entries } = await under.one.timeline(sid, "operator", { limit: 100 });
      expect(entries).toHaveLength(10);
      const events = entries.map(({ eventId }) => {
        const found = rooms[i]?.find((incoming) => incoming.event.id === eventId);
        if (found === undefined) throw new Error(`${eventId} is not of this room`);
        return found;
      });
      const routed = routeAgain(
        sid,
        newCall(sid, `sip-${i}`).roomName,
        events.map(({ body, event: { id } }) => ({
          event: readLiveKitEvent(JSON.parse(new TextDecoder().decode(body)), body),
          match: matches.get(String(id)),
        })),
      );
      const kept = entries.flatMap(({ deliveries }, at) =>
        deliveries.map(({ id, hook }) => ({ id, hook: hook.id, event: at })),
      );
      const inOrder = kept.toSorted((a, b) => a.id - b.id).map(({ hook, event: at }) => ({ event: at, hook }));
      for (const hook of [A, B]) {
        expect(inOrder.filter((d) => d.hook === hook)).toEqual(routed.deliveries.filter((d) => d.hook === hook));
      }
    }
  }, 240_000);

  test("keep an event once that comes to both at the same time", async () => {
    const events = Array.from({ length: 20 }, (_, i) => joined(i % 5));
    const nameless = Array.from({ length: 5 }, (_, i) => event("egress_ended", { room: { name: `sip-other-${i}` } }));
    const results = await Promise.all(
      [under.one, under.two, under.one, under.two].map((storage, i) => {
        const all = [...events, ...nameless];
        return storage.commit(i % 2 === 0 ? all : all.toReversed(), everyHook);
      }),
    );
    const kept = results.flat().filter(({ kind }) => kind === "kept");
    expect(kept).toHaveLength(25);
  });
});
