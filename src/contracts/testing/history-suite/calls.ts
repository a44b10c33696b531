import { describe, expect, test } from "bun:test";
import { roomSid } from "../../../domain/ids";
import type { Match } from "../../../domain/routing";
import type { Viewer } from "../../history";
import { allPages } from "./all-pages";
import type { HistoryUnderTest } from "./history-under-test";
import { A, B, DEAD, event, nobody, NOW, sip, tenantA, tenantB, to } from "../sample-events";

/** Calls and their timelines. */
export function testCalls(under: HistoryUnderTest): void {
  const { keep, end, callOfA, sharedRoom } = under;

  describe("calls", () => {
    const calls = (filter = {}) =>
      allPages((after) => under.storage.calls({ viewer: "operator", ...filter }, { limit: 1, ...after }));
    const sids = async (filter = {}) => (await calls(filter)).map(({ roomSid: sid }) => String(sid));

    test.each<[string, object, string[]]>([
      ["all", {}, ["RM_shared", "RM_2", "RM_1"]],
      ["SIP Call-ID", { sipCallId: "call-2" }, ["RM_2"]],
      ["caller", { caller: "+1555" }, ["RM_2", "RM_1"]],
      ["callee", { callee: "+49" }, ["RM_shared", "RM_2", "RM_1"]],
      ["caller and SIP Call-ID", { caller: "+1555", sipCallId: "call-2" }, ["RM_2"]],
      ["room", { room: "sip-2" }, ["RM_2"]],
      ["host", { host: "b.example.com" }, ["RM_shared"]],
      ["host of two calls", { host: "a.example.com" }, ["RM_shared", "RM_2", "RM_1"]],
      ["an unknown host", { host: "c.example.com" }, []],
      ["active", { state: "active" }, ["RM_shared", "RM_1"]],
      ["finished", { state: "finished" }, ["RM_2"]],
      ["since", { since: NOW + 1 }, ["RM_shared", "RM_2"]],
      ["until", { until: NOW + 1 }, ["RM_1"]],
      ["host and until", { host: "a.example.com", until: NOW + 2 }, ["RM_2", "RM_1"]],
      ["tenant A", { viewer: tenantA }, ["RM_shared", "RM_2", "RM_1"]],
      ["tenant B", { viewer: tenantB }, ["RM_shared"]],
      ["tenant B, finished", { viewer: tenantB, state: "finished" }, []],
      ["tenant B, of A's host", { viewer: tenantB, host: "a.example.com" }, []],
      ["tenant B, by A's caller in the shared room", { viewer: tenantB, caller: "+1111" }, []],
      ["tenant B, by A's Call-ID", { viewer: tenantB, sipCallId: "call-a" }, []],
      ["tenant B, by its own caller", { viewer: tenantB, caller: "+2222" }, ["RM_shared"]],
      ["tenant B, by the leg that it was sent", { viewer: tenantB, caller: "+3333" }, ["RM_shared"]],
    ])("are found by %s", async (_, filter, found) => {
      for (const [i, sid] of ["RM_1", "RM_2"].entries()) {
        const room = { sid, name: `sip-${i + 1}` };
        const participant = sip(`PA_${i}`, "+1555", `call-${i + 1}`);
        await keep(event("participant_joined", { room, participant }, to(A, "a.example.com"), NOW + i));
      }
      await keep(event("room_finished", { room: { sid: "RM_2", name: "sip-2" } }, undefined, NOW + 1));
      const room = { sid: "RM_shared", name: "sip-shared" };
      const join = (sid: string, number: string, id: string, match: Match) =>
        event("participant_joined", { room, participant: sip(sid, number, id) }, match, NOW + 2);
      await keep(
        join("PA_a", "+1111", "call-a", to(A, "a.example.com")),
        join("PA_b", "+2222", "call-b", to(B, "b.example.com")),
        join("PA_out", "+3333", "call-out", nobody("x.example.com")),
      );
      expect(await sids(filter)).toEqual(found);
    });

    test("one shows its participants, what chose their hook, and its hooks", async () => {
      await callOfA();
      expect(await under.storage.call(roomSid("RM_1"), "operator")).toMatchObject({
        roomSid: roomSid("RM_1"),
        roomName: "sip-RM_1",
        state: "finished",
        beganAt: NOW,
        finishedAt: NOW,
        hooks: [{ host: "a.example.com", authId: "tenant-a" }],
        participants: [
          {
            sip: true,
            host: "a.example.com",
            matcher: "exact-host",
            hook: { id: A },
            sipCallId: "call-1",
            caller: "+1555",
            callee: "+49",
          },
        ],
      });
      expect(await under.storage.call(roomSid("RM_2"), "operator")).toBeUndefined();
    });

    test("the timeline has each event with its deliveries and attempts, in the order of the commits, in pages", async () => {
      await callOfA();
      await end(A, DEAD);
      const events = await allPages((after) =>
        under.storage.timeline(roomSid("RM_1"), "operator", { limit: 2, ...after }),
      );
      expect(events.map(({ eventName }) => eventName)).toEqual(["room_started", "participant_joined", "room_finished"]);
      expect(events[0]).toMatchObject({
        createdAt: 1_795_301_401,
        receivedAt: NOW,
        state: "routed",
        deliveries: [{ state: "dead", tries: [{ n: 1, status: 503, durationMs: 12 }] }],
      });
      expect(events[0]?.keptAt).toBeNumber();
    });

    test("of a shared room a tenant sees its caller, the agent and the leg without a hook, and what it was sent", async () => {
      await sharedRoom();
      const call = await under.storage.call(roomSid("RM_1"), tenantA);
      expect(call?.participants.map(({ sid }) => String(sid)).toSorted()).toEqual(["PA_a", "PA_agent", "PA_out"]);
      expect(call?.hooks.map(({ authId }) => authId)).toEqual(["tenant-a"]);
      const { entries } = await under.storage.timeline(roomSid("RM_1"), tenantA, { limit: 100 });
      expect(entries.map(({ eventName, participant }) => `${eventName} ${participant ?? ""}`)).toEqual([
        "room_started ",
        "participant_joined PA_a",
        "participant_joined PA_agent",
        "participant_joined PA_out",
        "track_published PA_a",
      ]);
      expect(JSON.stringify([call, entries])).not.toMatch(/tenant-b|b\.example|\+2222|PA_b/);
      expect(await under.storage.call(roomSid("RM_1"), { authId: "tenant-c" })).toBeUndefined();
    });

    test("and not who is there without an event that it was sent", async () => {
      await callOfA();
      const room = { sid: "RM_1", name: "sip-RM_1" };
      const agent = event("participant_joined", { room, participant: { sid: "PA_agent", kind: "AGENT" } });
      await under.storage.commit([agent], () => "unwanted");
      const shown = async (viewer: Viewer) =>
        (await under.storage.call(roomSid("RM_1"), viewer))?.participants.map(({ sid }) => String(sid));
      expect(await shown("operator")).toEqual(["PA_RM_1", "PA_agent"]);
      expect(await shown(tenantA)).toEqual(["PA_RM_1"]);
    });
  });
}
