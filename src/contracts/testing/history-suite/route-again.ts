import { describe, expect, test } from "bun:test";
import { roomSid } from "../../../domain/ids";
import { isJsonObject } from "../../../domain/json";
import { readLiveKitEvent } from "../../../domain/livekit-event";
import type { EventToRoute } from "../../../domain/route-again";
import type { Match } from "../../../domain/routing";
import type { DeliveryPlan } from "../../storage";
import { allPages } from "./all-pages";
import type { HistoryUnderTest } from "./history-under-test";
import { A, event, HOUR, nobody, NOW, sip, tenantA, to } from "../sample-events";

/** Calls that get their hook later. */
export function testRouteAgain(under: HistoryUnderTest): void {
  const { keep, end, list, callOfA } = under;

  describe("a call without a hook", () => {
    async function unmatchedCall(sid = "RM_1"): Promise<void> {
      const room = { sid, name: `sip-${sid}` };
      await keep(
        event("room_started", { room }),
        event("participant_joined", { room, participant: sip("PA_1", "+1555", "call-1") }, nobody("a.example.com")),
        event("participant_joined", { room, participant: { sid: "PA_agent", kind: "AGENT" } }),
        event("room_finished", { room }),
      );
    }

    /** What is kept of the call, with the SIP participant matched so. */
    async function rematched(sid: string, match: Match): Promise<EventToRoute[]> {
      const stored = (await under.storage.eventsWithoutHook(roomSid(sid))) ?? [];
      return stored.map(({ id, body }) => {
        const json: unknown = JSON.parse(new TextDecoder().decode(body));
        const parsed = readLiveKitEvent(isJsonObject(json) ? json : {}, body);
        const speaks = parsed.subject.kind === "participant" && parsed.subject.attributes !== undefined;
        return { id, event: parsed, match: speaks ? match : undefined };
      });
    }

    const options = (plan: DeliveryPlan = "ordered", dryRun = false) => ({
      plan: () => plan,
      at: NOW + HOUR,
      dryRun,
    });

    test("is found, oldest first, until it has one", async () => {
      await unmatchedCall("RM_1");
      await unmatchedCall("RM_2");
      await callOfA("RM_3");
      await under.storage.listUnmatched(NOW);
      const found = await allPages((after) => under.storage.callsWithoutHook({}, { limit: 3, ...after }));
      expect([...new Set(found)].map(String)).toEqual(["RM_1", "RM_2"]);
      await under.storage.routeAgain(roomSid("RM_1"), await rematched("RM_1", to(A, "a.example.com")), options());
      const left = await allPages((after) => under.storage.callsWithoutHook({}, { limit: 100, ...after }));
      expect([...new Set(left)].map(String)).toEqual(["RM_2"]);
    });

    test("is found also before it is listed as unmatched", async () => {
      await unmatchedCall();
      const { entries } = await under.storage.callsWithoutHook({ room: "sip-RM_1" }, { limit: 100 });
      expect(entries.map(String)).toEqual(["RM_1"]);
    });

    test("goes whole and in order to the hook that it gets, and so does what comes after", async () => {
      await unmatchedCall();
      await under.storage.listUnmatched(NOW);
      const events = await rematched("RM_1", { ...to(A, "a.example.com"), owner: "tenant-a" } as Match);
      expect(await under.storage.routeAgain(roomSid("RM_1"), events, options("ordered", true))).toMatchObject({
        queued: 4,
      });
      expect(await under.storage.routeAgain(roomSid("RM_1"), events, options("unwanted", true))).toMatchObject({
        queued: 0,
        unwanted: 4,
      });
      const again = await under.storage.routeAgain(roomSid("RM_1"), events, options());
      // The room is gone: there is nothing to own any more.
      expect(again).toEqual({ queued: 4, unwanted: 0, hooks: [A], ownerTasks: [] });
      await keep(event("egress_ended", { room: { sid: "RM_1", name: "sip-RM_1" } }));
      expect(await end(A, { kind: "delivered" }, NOW + 2 * HOUR)).toEqual([
        "room_started",
        "participant_joined",
        "participant_joined",
        "room_finished",
        "egress_ended",
      ]);
      expect(await under.storage.call(roomSid("RM_1"), tenantA)).toMatchObject({
        hooks: [{ id: A }],
        participants: [{ hook: { id: A }, matcher: "exact-host", caller: "+1555" }, { hook: undefined }],
      });
      expect((await list()).filter(({ replay: isReplay }) => isReplay)).toHaveLength(4);
      expect(await under.storage.unmatched({}, { limit: 10 })).toEqual({ entries: [], next: undefined });
    });

    test("that goes on gives its room an owner", async () => {
      await keep(event("participant_joined", { participant: sip("PA_1") }, nobody("a.example.com")));
      const events = await rematched("RM_1", { ...to(A, "a.example.com"), owner: "tenant-a" } as Match);
      const again = await under.storage.routeAgain(roomSid("RM_1"), events, options());
      const task = { roomSid: roomSid("RM_1"), roomName: "sip-1", authId: "tenant-a" };
      expect(again?.ownerTasks).toEqual([task]);
      expect(await under.storage.ownerTasks()).toEqual([task]);
    });

    test("is remembered so after a reopening", async () => {
      await unmatchedCall();
      await under.storage.routeAgain(roomSid("RM_1"), await rematched("RM_1", to(A, "a.example.com")), options());
      await under.reopen();
      await keep(event("track_published", { room: { sid: "RM_1", name: "sip-RM_1" }, participant: { sid: "PA_1" } }));
      expect((await end(A, { kind: "delivered" }, NOW + 2 * HOUR)).at(-1)).toBe("track_published");
    });

    test("is left alone when nothing matches, when another event came, or when it has a hook", async () => {
      await unmatchedCall();
      const sid = roomSid("RM_1");
      expect(
        await under.storage.routeAgain(sid, await rematched("RM_1", nobody("a.example.com")), options()),
      ).toBeUndefined();
      const events = await rematched("RM_1", to(A, "a.example.com"));
      await keep(event("egress_ended", { room: { sid: "RM_1", name: "sip-RM_1" } }));
      expect(await under.storage.routeAgain(sid, events, options())).toBeUndefined();
      const now = await rematched("RM_1", to(A, "a.example.com"));
      expect(await under.storage.routeAgain(sid, now, options())).toMatchObject({ queued: 5 });
      expect(await under.storage.eventsWithoutHook(sid)).toBeUndefined();
      expect(await under.storage.routeAgain(sid, now, options())).toBeUndefined();
      expect(await under.storage.eventsWithoutHook(roomSid("RM_unknown"))).toBeUndefined();
    });
  });
}
