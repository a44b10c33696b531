import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { hookId } from "../../domain/hook";
import { normalizeHost } from "../../domain/host";
import { parseHostPattern, type HostPattern } from "../../domain/host-pattern";
import { roomSid, type HookId } from "../../domain/ids";
import { isJsonObject, type JsonObject } from "../../domain/json";
import { readLiveKitEvent } from "../../domain/livekit-event";
import type { EventToRoute } from "../../domain/route-again";
import type { Match } from "../../domain/routing";
import { UNSUCCESSFUL, type DeliveryFilter, type DeliveryState, type Page, type Viewer } from "../history";
import type { DeliveryPlan, IncomingEvent, Outcome, Storage } from "../storage";
import type { StorageUnderTest } from "./storage-suite";

const NOW = Date.parse("2026-11-21T22:50:00Z");
const HOUR = 60 * 60 * 1000;
const A = hookId(pattern("a.example.com"), "tenant-a");
const B = hookId(pattern("b.example.com"), "tenant-b");
const HOOKS = [
  { id: A, host: pattern("a.example.com"), authId: "tenant-a" },
  { id: B, host: pattern("b.example.com"), authId: "tenant-b" },
];
const tenantA: Viewer = { authId: "tenant-a" };
const tenantB: Viewer = { authId: "tenant-b" };
const DEAD: Outcome = { kind: "dead", reason: "6 attempts failed" };

/** The promises of `History`, as tests. Each implementation runs them. */
export function testHistory(title: string, create: () => Promise<StorageUnderTest>): void {
  describe(title, () => {
    let under: StorageUnderTest;
    let storage: Storage;

    beforeEach(async () => {
      under = await create();
      storage = await under.open();
      await storage.rememberHooks(HOOKS);
    });

    afterEach(async () => {
      await storage.close();
      await under.remove();
    });

    const keep = (...events: IncomingEvent[]) => storage.commit(events, () => "ordered");

    /** Ends what is due for the hook, one after the other; the names of the events that were sent. */
    async function end(hook: HookId, outcome: Outcome = { kind: "delivered" }, now = NOW + HOUR): Promise<string[]> {
      const names: string[] = [];
      for (;;) {
        const { deliveries } = await storage.claim(hook, { now, limit: 10, busy: new Set() });
        if (deliveries.length === 0) return names;
        names.push(...deliveries.map(({ eventName }) => eventName));
        const attempt = {
          startedAt: now,
          durationMs: 12,
          status: 503,
          error: undefined,
          answerStart: new TextEncoder().encode("down"),
        };
        await storage.settle(deliveries.map((delivery) => ({ delivery, at: now, attempt, outcome })));
      }
    }

    const list = async (filter: Partial<DeliveryFilter> = {}) =>
      all((after) => storage.deliveries({ viewer: "operator", ...filter }, { limit: 100, ...after }));

    const replay = (filter: Partial<DeliveryFilter> & { states?: readonly DeliveryState[] } = {}, dryRun = false) =>
      storage.replay(
        { kind: "filter", filter: { viewer: "operator", states: UNSUCCESSFUL, ...filter }, limit: 10_000 },
        { plan: () => "ordered", at: NOW + 2 * HOUR, dryRun },
      );

    /** A call of tenant A: room_started, its caller's join, room_finished. */
    async function callOfA(sid = "RM_1", at = NOW): Promise<void> {
      const room = { sid, name: `sip-${sid}` };
      await keep(
        event("room_started", { room }, undefined, at),
        event(
          "participant_joined",
          { room, participant: sip(`PA_${sid}`, "+1555", "call-1") },
          to(A, "a.example.com"),
          at,
        ),
        event("room_finished", { room }, undefined, at),
      );
    }

    /** One room with a caller of A, one of B, an agent, and a leg that no hook matches. */
    async function sharedRoom(): Promise<void> {
      await keep(
        event("room_started"),
        event("participant_joined", { participant: sip("PA_a", "+1111", "call-a") }, to(A, "a.example.com")),
        event("participant_joined", { participant: sip("PA_b", "+2222", "call-b") }, to(B, "b.example.com")),
        event("participant_joined", { participant: { sid: "PA_agent", kind: "AGENT" } }),
        event("participant_joined", { participant: sip("PA_out", "+3333", "call-out") }, nobody("x.example.com")),
        event("track_published", { participant: { sid: "PA_a" } }),
        event("track_unpublished", { participant: { sid: "PA_b" } }),
      );
    }

    describe("deliveries", () => {
      test("are listed newest first, with what became of them", async () => {
        await callOfA();
        await end(A, DEAD);
        const deliveries = await list();
        expect(deliveries.map(({ eventName }) => eventName)).toEqual([
          "room_finished",
          "participant_joined",
          "room_started",
        ]);
        expect(deliveries[1]).toMatchObject({
          state: "dead",
          hook: { id: A, host: "a.example.com", authId: "tenant-a" },
          roomName: "sip-RM_1",
          receivedAt: NOW,
          madeAt: NOW,
          settledAt: NOW + HOUR,
          reason: "6 attempts failed",
          attempts: 1,
          replay: false,
          nextTry: undefined,
          waitsFor: undefined,
          replayedBy: undefined,
        });
      });

      test("one is shown with each of its attempts, and says when it is tried next or what it waits for", async () => {
        await callOfA();
        const [first] = (await storage.claim(A, { now: NOW, limit: 1, busy: new Set() })).deliveries;
        if (first === undefined) throw new Error("nothing was claimed");
        const attempt = {
          startedAt: NOW,
          durationMs: 3,
          status: undefined,
          error: "dns: ENOTFOUND: x",
          answerStart: undefined,
        };
        const retry = { kind: "retry", dueAt: NOW + 5000, wait: 5000, counts: true, refusal: false } as const;
        await storage.settle([{ delivery: first, at: NOW, attempt, outcome: retry }]);
        expect(await storage.delivery(first.id, "operator")).toMatchObject({
          state: "pending",
          nextTry: NOW + 5000,
          tries: [{ n: 1, ...attempt }],
        });
        const behind = (await list()).filter(({ id }) => id !== first.id);
        expect(behind.map(({ nextTry, waitsFor }) => [nextTry, waitsFor])).toEqual([
          [undefined, first.id],
          [undefined, first.id],
        ]);
      });

      test.each<[string, Partial<DeliveryFilter>, number]>([
        ["state", { states: ["dead"] }, 3],
        ["states", { states: ["dead", "delivered"] }, 6],
        ["no such state", { states: ["expired"] }, 0],
        ["host", { host: "b.example.com" }, 3],
        ["host and state", { host: "b.example.com", states: ["dead"] }, 0],
        ["unknown host", { host: "c.example.com" }, 0],
        ["tenant", { authId: "tenant-a" }, 6],
        ["tenant and state", { authId: "tenant-a", states: ["dead", "cancelled"] }, 3],
        ["room", { room: "sip-RM_2" }, 3],
        ["room sid", { roomSid: roomSid("RM_1") }, 3],
        ["room sid and state", { roomSid: roomSid("RM_1"), states: ["delivered"] }, 0],
        ["event", { eventName: "room_started" }, 3],
        ["since", { since: NOW + 1000 }, 6],
        ["until", { until: NOW + 1000 }, 3],
        ["a span", { since: NOW + 1, until: NOW + 2000 }, 3],
      ])("are filtered by %s", async (_, filter, count) => {
        await callOfA("RM_1", NOW);
        await end(A, DEAD);
        await callOfA("RM_2", NOW + 1000);
        await end(A);
        const room = { sid: "RM_3", name: "sip-RM_3" };
        await keep(
          event("room_started", { room }, undefined, NOW + 2000),
          event("participant_joined", { room, participant: sip("PA_3") }, to(B, "b.example.com"), NOW + 2000),
          event("room_finished", { room }, undefined, NOW + 2000),
        );
        expect(await list(filter)).toHaveLength(count);
      });

      test("come in pages that follow each other without a gap or a repetition, while new ones come", async () => {
        for (let i = 0; i < 7; i++) await callOfA(`RM_${i}`, NOW + (i % 2));
        for (const filter of [
          {},
          { host: "a.example.com" },
          { authId: "tenant-a" },
          { states: ["pending"] as const },
        ]) {
          const seen: number[] = [];
          let after: { after?: string } = {};
          for (let i = 0; ; i++) {
            const page = await storage.deliveries(
              { viewer: "operator", ...filter, until: NOW + 10 },
              { limit: 4, ...after },
            );
            seen.push(...page.entries.map(({ id }) => id));
            expect(page.entries.length).toBeLessThanOrEqual(4);
            if (page.next === undefined) break;
            after = { after: page.next };
            await callOfA(`RM_${JSON.stringify(filter)}_${i}`, NOW + HOUR);
          }
          expect(seen).toHaveLength(21);
          expect(new Set(seen).size).toBe(21);
        }
      });

      test("a page of a room's deliveries goes on in its next call", async () => {
        const room = (sid: string) => ({ room: { sid, name: "sip-direct" } });
        for (const sid of ["RM_1", "RM_2", "RM_3"]) {
          await keep(
            event("room_started", room(sid)),
            event("participant_joined", { ...room(sid), participant: sip(`PA_${sid}`) }, to(A, "a.example.com")),
          );
        }
        const found = await all((after) =>
          storage.deliveries({ viewer: "operator", room: "sip-direct" }, { limit: 1, ...after }),
        );
        expect(found.map(({ roomSid: sid, eventName }) => `${sid} ${eventName}`)).toEqual([
          "RM_3 participant_joined",
          "RM_3 room_started",
          "RM_2 participant_joined",
          "RM_2 room_started",
          "RM_1 participant_joined",
          "RM_1 room_started",
        ]);
      });

      test("a cursor that nobody gave is refused", async () => {
        for (const after of ["x", "MQ", "MS4y.", Buffer.from("1.x").toString("base64url")]) {
          await expect(storage.deliveries({ viewer: "operator" }, { limit: 1, after })).rejects.toThrow("cursor");
          await expect(storage.calls({ viewer: "operator" }, { limit: 1, after })).rejects.toThrow("cursor");
          await expect(storage.unmatched({}, { limit: 1, after })).rejects.toThrow("cursor");
        }
      });

      test("a tenant sees its own, whatever it asks for", async () => {
        await sharedRoom();
        const ofA = await list({ viewer: tenantA });
        expect(ofA.map(({ hook }) => hook.authId)).toEqual(ofA.map(() => "tenant-a"));
        expect(ofA).toHaveLength(5);
        for (const filter of [{ authId: "tenant-b" }, { host: "b.example.com" }]) {
          expect(await list({ viewer: tenantA, ...filter })).toEqual([]);
        }
        // No name is a special one.
        expect(await list({ viewer: { authId: "nobody" } })).toEqual([]);
        for (const filter of [{ roomSid: roomSid("RM_1") }, { room: "sip-1" }, { since: 0 }]) {
          expect(await list({ viewer: tenantA, ...filter })).toHaveLength(5);
        }
        const [ofB] = await list({ viewer: tenantB });
        expect(await storage.delivery(ofB?.id ?? 0, tenantA)).toBeUndefined();
        expect(await storage.delivery(ofB?.id ?? 0, tenantB)).toMatchObject({ hook: { authId: "tenant-b" } });
      });
    });

    describe("events without a hook", () => {
      const listUnmatched = (filter = {}) => all((after) => storage.unmatched(filter, { limit: 2, ...after }));

      test("are listed newest first, with the host that was called and why", async () => {
        await keep(
          event("room_started"),
          event("participant_joined", { participant: sip("PA_1") }, nobody("x.example.com")),
          event(
            "participant_joined",
            { room: { sid: "RM_2", name: "sip-2" }, participant: sip("PA_2") },
            nobody(undefined),
          ),
          event("room_started", { room: { sid: "RM_3", name: "sip-3" } }),
          event("egress_ended", { room: { name: "sip-4" } }),
        );
        expect(await listUnmatched()).toEqual([]);
        await storage.listUnmatched(NOW);
        expect((await listUnmatched()).map(({ roomName, hosts, why }) => [roomName, hosts, why])).toEqual([
          ["sip-4", [], "no_call"],
          ["sip-3", [], "no_caller"],
          ["sip-2", [], "no_host"],
          ["sip-1", ["x.example.com"], "no_hook"],
          ["sip-1", ["x.example.com"], "no_hook"],
        ]);
      });

      test("of a participant of whom nothing is known, beside a hook, that is why", async () => {
        await callOfA();
        await keep(
          event("track_published", { room: { sid: "RM_1", name: "sip-RM_1" }, participant: { sid: "PA_lost" } }),
        );
        await storage.listUnmatched(NOW);
        expect(await listUnmatched()).toMatchObject([{ why: "unknown_participant" }]);
        expect(await listUnmatched({ maySeeHost: () => true })).toEqual([]);
      });

      test("are filtered by room, called host and time", async () => {
        for (const [i, host] of ["x.example.com", "y.example.com", "x.example.com"].entries()) {
          const room = { sid: `RM_${i}`, name: `sip-${i}` };
          await keep(
            event("room_started", { room }, undefined, NOW + i),
            event("participant_joined", { room, participant: sip(`PA_${i}`) }, nobody(host), NOW + i),
          );
        }
        await storage.listUnmatched(NOW + 10);
        expect(await listUnmatched({ room: "sip-1" })).toHaveLength(2);
        expect((await listUnmatched({ host: "x.example.com" })).map(({ roomName }) => roomName)).toEqual([
          "sip-2",
          "sip-2",
          "sip-0",
          "sip-0",
        ]);
        expect(await listUnmatched({ since: NOW + 1, until: NOW + 2 })).toHaveLength(2);
        expect(await listUnmatched({ host: "x.example.com", since: NOW + 1 })).toHaveLength(2);
      });

      test("a viewer of some hosts sees a call only when all that was called in it is among them", async () => {
        const own = (host: string) => host === "x.example.com";
        await keep(
          event("participant_joined", { participant: sip("PA_1") }, nobody("x.example.com")),
          event(
            "participant_joined",
            { room: { sid: "RM_2", name: "sip-2" }, participant: sip("PA_2") },
            nobody("y.example.com"),
          ),
          event(
            "participant_joined",
            { room: { sid: "RM_3", name: "sip-3" }, participant: sip("PA_3") },
            nobody("x.example.com"),
          ),
          event(
            "participant_joined",
            { room: { sid: "RM_3", name: "sip-3" }, participant: sip("PA_4") },
            nobody("y.example.com"),
          ),
          event("room_started", { room: { sid: "RM_5", name: "sip-5" } }),
          event("egress_ended", { room: { name: "sip-6" } }),
        );
        await storage.listUnmatched(NOW);
        expect((await listUnmatched({ maySeeHost: own })).map(({ roomName }) => roomName)).toEqual(["sip-1"]);
      });
    });

    describe("calls", () => {
      const calls = (filter = {}) =>
        all((after) => storage.calls({ viewer: "operator", ...filter }, { limit: 1, ...after }));
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
        expect(await storage.call(roomSid("RM_1"), "operator")).toMatchObject({
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
        expect(await storage.call(roomSid("RM_2"), "operator")).toBeUndefined();
      });

      test("the timeline has each event with its deliveries and attempts, in the order of the commits, in pages", async () => {
        await callOfA();
        await end(A, DEAD);
        const events = await all((after) => storage.timeline(roomSid("RM_1"), "operator", { limit: 2, ...after }));
        expect(events.map(({ eventName }) => eventName)).toEqual([
          "room_started",
          "participant_joined",
          "room_finished",
        ]);
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
        const call = await storage.call(roomSid("RM_1"), tenantA);
        expect(call?.participants.map(({ sid }) => String(sid)).toSorted()).toEqual(["PA_a", "PA_agent", "PA_out"]);
        expect(call?.hooks.map(({ authId }) => authId)).toEqual(["tenant-a"]);
        const { entries } = await storage.timeline(roomSid("RM_1"), tenantA, { limit: 100 });
        expect(entries.map(({ eventName, participant }) => `${eventName} ${participant ?? ""}`)).toEqual([
          "room_started ",
          "participant_joined PA_a",
          "participant_joined PA_agent",
          "participant_joined PA_out",
          "track_published PA_a",
        ]);
        expect(JSON.stringify([call, entries])).not.toMatch(/tenant-b|b\.example|\+2222|PA_b/);
        expect(await storage.call(roomSid("RM_1"), { authId: "tenant-c" })).toBeUndefined();
      });

      test("and not who is there without an event that it was sent", async () => {
        await callOfA();
        const room = { sid: "RM_1", name: "sip-RM_1" };
        const agent = event("participant_joined", { room, participant: { sid: "PA_agent", kind: "AGENT" } });
        await storage.commit([agent], () => "unwanted");
        const shown = async (viewer: Viewer) =>
          (await storage.call(roomSid("RM_1"), viewer))?.participants.map(({ sid }) => String(sid));
        expect(await shown("operator")).toEqual(["PA_RM_1", "PA_agent"]);
        expect(await shown(tenantA)).toEqual(["PA_RM_1"]);
      });
    });

    describe("replay", () => {
      test("queues what did not arrive, in the order of the events, with the same id, marked as a replay", async () => {
        await callOfA();
        const before = await list();
        await end(A, DEAD);
        expect(await replay({ roomSid: roomSid("RM_1") })).toEqual({
          queued: 3,
          pending: 0,
          unwanted: 0,
          hooks: [A],
          next: undefined,
        });
        const [head] = (await storage.claim(A, { now: NOW + 2 * HOUR, limit: 10, busy: new Set() })).deliveries;
        expect(head).toMatchObject({ eventName: "room_started", replay: true, attempts: 0, failures: 0 });
        expect(head?.eventId as string).toBe(before.at(-1)?.eventId as string);
        // Its age counts from when it was asked for: what is old is not given up at once.
        expect(head?.receivedAt).toBe(NOW + 2 * HOUR);
        expect(await end(A, { kind: "delivered" }, NOW + 2 * HOUR)).toEqual([
          "room_started",
          "participant_joined",
          "room_finished",
        ]);
        const gaps = await list({ states: ["dead"] });
        expect(gaps.map(({ replayedBy }) => replayedBy?.state)).toEqual(["delivered", "delivered", "delivered"]);
      });

      test("leaves alone what is pending and what has arrived since", async () => {
        await callOfA();
        await end(A, DEAD);
        await replay();
        expect(await replay()).toMatchObject({ queued: 0, pending: 3 });
        await end(A, { kind: "delivered" }, NOW + 3 * HOUR);
        expect(await replay()).toMatchObject({ queued: 0, pending: 0 });
      });

      test("of what arrived at first, but was replayed in vain, keeps the order of the events", async () => {
        await callOfA();
        const [first] = (await storage.claim(A, { now: NOW, limit: 1, busy: new Set() })).deliveries;
        if (first === undefined) throw new Error("nothing was claimed");
        await storage.settle([{ delivery: first, at: NOW, attempt: undefined, outcome: { kind: "delivered" } }]);
        await end(A, DEAD);
        const options = { plan: () => "ordered" as const, at: NOW + HOUR, dryRun: false };
        await storage.replay({ kind: "delivery", id: first.id, viewer: "operator" }, options);
        await end(A, DEAD, NOW + 2 * HOUR);
        expect(await replay()).toMatchObject({ queued: 3 });
        expect(await end(A, { kind: "delivered" }, NOW + 3 * HOUR)).toEqual([
          "room_started",
          "participant_joined",
          "room_finished",
        ]);
      });

      test("of what was replayed in vain keeps the order of the events", async () => {
        await callOfA();
        await end(A, DEAD);
        const [first] = (await list()).toReversed();
        const options = { plan: () => "ordered" as const, at: NOW + HOUR, dryRun: false };
        await storage.replay({ kind: "delivery", id: first?.id ?? 0, viewer: "operator" }, options);
        await end(A, DEAD, NOW + 2 * HOUR);
        expect(await replay()).toMatchObject({ queued: 3 });
        expect(await end(A, { kind: "delivered" }, NOW + 3 * HOUR)).toEqual([
          "room_started",
          "participant_joined",
          "room_finished",
        ]);
      });

      test("sends what has arrived when that is asked for", async () => {
        await callOfA();
        await end(A);
        expect(await replay()).toMatchObject({ queued: 0 });
        expect(await replay({ states: ["delivered"], host: "a.example.com" })).toMatchObject({ queued: 3 });
        expect(await end(A, { kind: "delivered" }, NOW + 3 * HOUR)).toHaveLength(3);
      });

      test("goes behind what the call has pending", async () => {
        await callOfA();
        await end(A, DEAD);
        await keep(event("egress_ended", { room: { sid: "RM_1", name: "sip-RM_1" } }));
        await replay();
        expect(await end(A, { kind: "delivered" }, NOW + 3 * HOUR)).toEqual([
          "egress_ended",
          "room_started",
          "participant_joined",
          "room_finished",
        ]);
      });

      test("does not queue for a hook that is gone, or that does not want it any more", async () => {
        await callOfA();
        await end(A, DEAD);
        const selection = {
          kind: "filter",
          filter: { viewer: "operator", states: UNSUCCESSFUL },
          limit: 100,
        } as const;
        for (const plan of ["gone", "unwanted"] as const) {
          const result = await storage.replay(selection, { plan: () => plan, at: NOW, dryRun: false });
          expect(result).toMatchObject({ queued: 0, unwanted: 3, hooks: [] });
        }
        expect(await end(A)).toEqual([]);
      });

      test("a trial says what would be, and changes nothing", async () => {
        await callOfA();
        await end(A, DEAD);
        expect(await replay({}, true)).toMatchObject({ queued: 3, hooks: [A] });
        expect(await end(A)).toEqual([]);
      });

      test("of many comes in parts, and all of it in order", async () => {
        for (let i = 0; i < 30; i++) await callOfA(`RM_${i}`, NOW + i);
        await end(A, DEAD);
        const filter = { viewer: "operator", states: UNSUCCESSFUL, since: NOW + 10, until: NOW + 20 } as const;
        const options = { plan: () => "ordered" as const, at: NOW + HOUR, dryRun: false };
        let queued = 0;
        let after: { after?: string } = {};
        do {
          const part = await storage.replay({ kind: "filter", filter, limit: 7, ...after }, options);
          queued += part.queued;
          after = part.next === undefined ? {} : { after: part.next };
        } while (after.after !== undefined);
        expect(queued).toBe(30);
        expect(await end(A, { kind: "delivered" }, NOW + 3 * HOUR)).toHaveLength(30);
        const { entries } = await storage.timeline(roomSid("RM_15"), "operator", { limit: 10 });
        const replays = entries.map(({ deliveries }) => deliveries.at(-1));
        expect(replays.map((delivery) => delivery?.state)).toEqual(["delivered", "delivered", "delivered"]);
        const ids = replays.map((delivery) => delivery?.id ?? 0);
        expect(ids).toEqual(ids.toSorted((a, b) => a - b));
      });

      test("a tenant replays its own only", async () => {
        await sharedRoom();
        await end(A, DEAD);
        await end(B, DEAD);
        expect(await replay({ viewer: tenantA })).toMatchObject({ queued: 5, hooks: [A] });
        expect(await replay({ viewer: tenantA, host: "b.example.com" })).toMatchObject({ queued: 0 });
        const [ofB] = await list({ viewer: tenantB });
        const options = { plan: () => "ordered" as const, at: NOW, dryRun: false };
        const one = await storage.replay({ kind: "delivery", id: ofB?.id ?? 0, viewer: tenantA }, options);
        expect(one).toMatchObject({ queued: 0, pending: 0 });
      });
    });

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
        const stored = (await storage.eventsWithoutHook(roomSid(sid))) ?? [];
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
        await storage.listUnmatched(NOW);
        const found = await all((after) => storage.callsWithoutHook({}, { limit: 3, ...after }));
        expect([...new Set(found)].map(String)).toEqual(["RM_1", "RM_2"]);
        await storage.routeAgain(roomSid("RM_1"), await rematched("RM_1", to(A, "a.example.com")), options());
        const left = await all((after) => storage.callsWithoutHook({}, { limit: 100, ...after }));
        expect([...new Set(left)].map(String)).toEqual(["RM_2"]);
      });

      test("is found also before it is listed as unmatched", async () => {
        await unmatchedCall();
        const { entries } = await storage.callsWithoutHook({ room: "sip-RM_1" }, { limit: 100 });
        expect(entries.map(String)).toEqual(["RM_1"]);
      });

      test("goes whole and in order to the hook that it gets, and so does what comes after", async () => {
        await unmatchedCall();
        await storage.listUnmatched(NOW);
        const events = await rematched("RM_1", { ...to(A, "a.example.com"), owner: "tenant-a" } as Match);
        expect(await storage.routeAgain(roomSid("RM_1"), events, options("ordered", true))).toMatchObject({
          queued: 4,
        });
        expect(await storage.routeAgain(roomSid("RM_1"), events, options("unwanted", true))).toMatchObject({
          queued: 0,
          unwanted: 4,
        });
        const again = await storage.routeAgain(roomSid("RM_1"), events, options());
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
        expect(await storage.call(roomSid("RM_1"), tenantA)).toMatchObject({
          hooks: [{ id: A }],
          participants: [{ hook: { id: A }, matcher: "exact-host", caller: "+1555" }, { hook: undefined }],
        });
        expect((await list()).filter(({ replay: isReplay }) => isReplay)).toHaveLength(4);
        expect(await storage.unmatched({}, { limit: 10 })).toEqual({ entries: [], next: undefined });
      });

      test("that goes on gives its room an owner", async () => {
        await keep(event("participant_joined", { participant: sip("PA_1") }, nobody("a.example.com")));
        const events = await rematched("RM_1", { ...to(A, "a.example.com"), owner: "tenant-a" } as Match);
        const again = await storage.routeAgain(roomSid("RM_1"), events, options());
        const task = { roomSid: roomSid("RM_1"), roomName: "sip-1", authId: "tenant-a" };
        expect(again?.ownerTasks).toEqual([task]);
        expect(await storage.ownerTasks()).toEqual([task]);
      });

      test("is remembered so after a reopening", async () => {
        await unmatchedCall();
        await storage.routeAgain(roomSid("RM_1"), await rematched("RM_1", to(A, "a.example.com")), options());
        await storage.close();
        storage = await under.open();
        await keep(event("track_published", { room: { sid: "RM_1", name: "sip-RM_1" }, participant: { sid: "PA_1" } }));
        expect((await end(A, { kind: "delivered" }, NOW + 2 * HOUR)).at(-1)).toBe("track_published");
      });

      test("is left alone when nothing matches, when another event came, or when it has a hook", async () => {
        await unmatchedCall();
        const sid = roomSid("RM_1");
        expect(
          await storage.routeAgain(sid, await rematched("RM_1", nobody("a.example.com")), options()),
        ).toBeUndefined();
        const events = await rematched("RM_1", to(A, "a.example.com"));
        await keep(event("egress_ended", { room: { sid: "RM_1", name: "sip-RM_1" } }));
        expect(await storage.routeAgain(sid, events, options())).toBeUndefined();
        const now = await rematched("RM_1", to(A, "a.example.com"));
        expect(await storage.routeAgain(sid, now, options())).toMatchObject({ queued: 5 });
        expect(await storage.eventsWithoutHook(sid)).toBeUndefined();
        expect(await storage.routeAgain(sid, now, options())).toBeUndefined();
        expect(await storage.eventsWithoutHook(roomSid("RM_unknown"))).toBeUndefined();
      });
    });

    describe("cancelling", () => {
      const states = async (filter = {}) => (await list(filter)).map(({ state }) => state);

      test("takes single deliveries, and the lane goes on with the next", async () => {
        await callOfA();
        const [, , first] = await list();
        const selection = { kind: "deliveries", ids: [first?.id ?? 0, 999_999], viewer: "operator" } as const;
        expect(await storage.cancelPending(selection, "cancelled by an operator", NOW)).toBe(1);
        expect(await storage.cancelPending(selection, "cancelled by an operator", NOW)).toBe(0);
        expect(await list({ states: ["cancelled"] })).toMatchObject([
          { reason: "cancelled by an operator", settledAt: NOW },
        ]);
        expect(await end(A)).toEqual(["participant_joined", "room_finished"]);
      });

      test("takes all that a hook has pending, or a call", async () => {
        await callOfA("RM_1");
        await callOfA("RM_2");
        const call = { kind: "call", roomSid: roomSid("RM_1"), viewer: "operator" } as const;
        expect(await storage.cancelPending(call, "because", NOW)).toBe(3);
        expect(await states({ roomSid: roomSid("RM_1") })).toEqual(["cancelled", "cancelled", "cancelled"]);
        expect(await storage.cancelPending({ kind: "hook", hook: A }, "because", NOW)).toBe(3);
        expect(await end(A)).toEqual([]);
        expect((await list({ states: ["cancelled"] })).map(({ reason }) => reason)).toEqual(Array(6).fill("because"));
        await callOfA("RM_3");
        expect(await end(A)).toHaveLength(3);
      });

      test("what was cancelled can be replayed", async () => {
        await callOfA();
        await storage.cancelPending({ kind: "hook", hook: A }, "because", NOW);
        expect(await replay()).toMatchObject({ queued: 3 });
        expect(await end(A, { kind: "delivered" }, NOW + 3 * HOUR)).toHaveLength(3);
      });

      test("a tenant cancels its own only", async () => {
        await sharedRoom();
        const ofB = (await list({ viewer: tenantB })).map(({ id }) => id);
        const byId = { kind: "deliveries", ids: ofB, viewer: tenantA } as const;
        expect(await storage.cancelPending(byId, "because", NOW)).toBe(0);
        const call = { kind: "call", roomSid: roomSid("RM_1"), viewer: tenantA } as const;
        expect(await storage.cancelPending(call, "because", NOW)).toBe(5);
        expect(await states({ viewer: tenantB })).toEqual(ofB.map(() => "pending"));
      });
    });

    describe("what is remembered of an event's call", () => {
      test("is told without changing anything", async () => {
        const unknown = event("room_started").event;
        expect(await storage.remembered(unknown, NOW)).toEqual({ duplicate: false, call: undefined });
        expect(await storage.call(roomSid("RM_1"), "operator")).toBeUndefined();
        const joined = event("participant_joined", { participant: sip("PA_1") }, to(A, "a.example.com"));
        await keep(event("room_started"), joined, event("track_published", { participant: { sid: "PA_lost" } }));
        const { duplicate, call } = await storage.remembered(joined.event, NOW);
        expect(duplicate).toBe(true);
        expect(call?.memory.hooks).toEqual([A]);
        expect(call?.all).toHaveLength(3);
        expect(call?.held).toHaveLength(1);
        const { event: nameless } = event("egress_ended", { room: { name: "sip-1" } });
        expect((await storage.remembered(nameless, NOW)).call?.memory.roomSid).toBe(roomSid("RM_1"));
      });
    });

    test("deliveries made before their hook was remembered become its tenant's", async () => {
      const late = {
        id: hookId(pattern("late.example.com"), "tenant-l"),
        host: pattern("late.example.com"),
        authId: "tenant-l",
      };
      await keep(event("participant_joined", { participant: sip("PA_1") }, to(late.id, "late.example.com")));
      expect(await list({ viewer: { authId: "tenant-l" } })).toEqual([]);
      await storage.rememberHooks([late]);
      expect(await list({ viewer: { authId: "tenant-l" } })).toHaveLength(1);
      expect(await storage.call(roomSid("RM_1"), { authId: "tenant-l" })).toBeDefined();
    });

    test("a hook that is added is remembered with it", async () => {
      const host = pattern("new.example.com");
      const after = { host, url: "https://x.example/", authId: "tenant-n" };
      await storage.changeHooks({ who: "ops", at: NOW }, [host], () => [{ host, after }]);
      await keep(
        event("participant_joined", { participant: sip("PA_1") }, to(hookId(host, "tenant-n"), "new.example.com")),
      );
      expect(await list({ viewer: { authId: "tenant-n" } })).toHaveLength(1);
    });
  });
}

/** The entries of all pages. */
async function all<Entry>(read: (after: { after?: string }) => Promise<Page<Entry>>): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let after: { after?: string } = {}; ;) {
    const page = await read(after);
    entries.push(...page.entries);
    if (page.next === undefined) return entries;
    after = { after: page.next };
  }
}

let lastId = 0;

function event(name: string, members: JsonObject = {}, match?: Match, receivedAt = NOW): IncomingEvent {
  const room = { sid: "RM_1", name: "sip-1" };
  const json = { event: name, id: `EV_h${++lastId}`, createdAt: "1795301401", room, ...members };
  const body = new TextEncoder().encode(JSON.stringify(json));
  return { event: readLiveKitEvent(json, body), contentType: "application/webhook+json", body, receivedAt, match };
}

function sip(sid: string, caller = "+1000", sipCallId = "call-0") {
  const attributes = {
    "sip.callID": `SCL_${sid}`,
    "sip.callIDFull": sipCallId,
    "sip.phoneNumber": caller,
    "sip.trunkPhoneNumber": "+49",
  };
  return { sid, kind: "SIP", attributes };
}

function to(hook: HookId, host: string): Match {
  return { kind: "hook", hook, matcher: "exact-host", host: normalizeHost(host) };
}

function nobody(host: string | undefined): Match {
  return { kind: "none", host: host === undefined ? undefined : normalizeHost(host) };
}

function pattern(text: string): HostPattern {
  const parsed = parseHostPattern(text);
  if (parsed === undefined) throw new Error(`${text} is no host pattern`);
  return parsed;
}
