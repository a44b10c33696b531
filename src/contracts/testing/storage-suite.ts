import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { hookId } from "../../domain/hook";
import { parseHostPattern, type HostPattern } from "../../domain/host-pattern";
import type { HookId } from "../../domain/ids";
import type { JsonObject } from "../../domain/json";
import { readLiveKitEvent } from "../../domain/livekit-event";
import type { Match } from "../../domain/routing";
import type { IncomingEvent, Outcome, PendingDelivery, Storage } from "../storage";
import { testHooks } from "./hooks-suite";

export type StorageUnderTest = {
  /** Opens the storage, empty at the first call, and as it was left at the next ones. */
  readonly open: () => Promise<Storage>;
  /** Removes what the opened storages left. */
  readonly remove: () => Promise<void>;
};

const NOW = Date.parse("2026-11-21T22:50:00Z");
const HOUR = 60 * 60 * 1000;
const A = hookId(pattern("a.example.com"), "tenant-a");
const B = hookId(pattern("b.example.com"), "tenant-b");
const everyHook = () => "ordered" as const;

/** The promises of `Storage`, as tests. Each implementation runs them. */
export function testStorage(title: string, create: () => Promise<StorageUnderTest>): void {
  describe(title, () => {
    let under: StorageUnderTest;
    let storage: Storage;

    beforeEach(async () => {
      under = await create();
      storage = await under.open();
    });

    afterEach(async () => {
      await storage.close();
      await under.remove();
    });

    async function reopen(): Promise<void> {
      await storage.close();
      storage = await under.open();
    }

    async function keep(...events: IncomingEvent[]) {
      return storage.commit(events, everyHook);
    }

    /** What this hook would be sent, when each delivery is answered 2xx at once. */
    async function drain(hook: HookId, now = NOW): Promise<string[]> {
      const names: string[] = [];
      for (;;) {
        const { deliveries } = await storage.claim(hook, { now, limit: 10, busy: new Set() });
        if (deliveries.length === 0) return names;
        names.push(...deliveries.map((delivery) => delivery.eventName));
        await storage.settle(deliveries.map((delivery) => settlement(delivery, { kind: "delivered" }, now)));
      }
    }

    async function claim(hook: HookId, options: { now?: number; limit?: number; busy?: number[] } = {}) {
      const { now = NOW, limit = 10, busy = [] } = options;
      return storage.claim(hook, { now, limit, busy: new Set(busy) });
    }

    describe("events", () => {
      test("a call's events reach its hook in the order of their commits, room_started included", async () => {
        await keep(event("room_started"));
        await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)), event("room_finished"));
        expect(await drain(A)).toEqual(["room_started", "participant_joined", "room_finished"]);
      });

      test("bytes, content type, id and time come back as they were given", async () => {
        const body = Uint8Array.of(0x7b, 0xff, 0x00, 0x7d);
        const given = {
          ...event("participant_joined", { participant: sip("PA_1") }, to(A)),
          body,
          contentType: "x/y; z",
        };
        await keep(given);
        const [delivery] = (await claim(A)).deliveries;
        expect(delivery).toMatchObject({
          eventId: given.event.id,
          contentType: "x/y; z",
          receivedAt: NOW,
          attempts: 0,
        });
        expect(delivery?.roomSid).toBe(given.event.roomSid);
        expect([...(delivery?.body ?? [])]).toEqual([...body]);
      });

      test("an event id that is known adds nothing, in the same batch, later, and after a reopening", async () => {
        const once = event("participant_joined", { participant: sip("PA_1") }, to(A));
        const results = await keep(once, once);
        expect(results.map((result) => result.kind)).toEqual(["kept", "duplicate"]);
        expect((await keep(once)).map((result) => result.kind)).toEqual(["duplicate"]);
        await reopen();
        expect((await keep(once)).map((result) => result.kind)).toEqual(["duplicate"]);
        expect(await drain(A)).toEqual(["participant_joined"]);
      });

      test("a result names the hooks that have something new, and nothing else wakes", async () => {
        const [held] = await keep(event("room_started"));
        expect(held).toMatchObject({ kind: "kept", held: true, hooks: [] });
        const [joined] = await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)));
        expect(joined).toMatchObject({ kind: "kept", held: false, hooks: [A] });
      });

      test("calls are remembered through a reopening between any two events", async () => {
        await keep(event("room_started"));
        await reopen();
        await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)));
        await reopen();
        await keep(event("track_published", { participant: { sid: "PA_1" } }));
        await reopen();
        await keep(event("room_finished"));
        expect(await drain(A)).toEqual(["room_started", "participant_joined", "track_published", "room_finished"]);
      });

      test("an event without a room sid belongs to the newest call of its room's name", async () => {
        await keep(event("participant_joined", { room: room("RM_old"), participant: sip("PA_1") }, to(A)));
        await keep(
          at(NOW + 1000, event("participant_joined", { room: room("RM_new"), participant: sip("PA_2") }, to(B))),
        );
        await keep(at(NOW + 2000, event("egress_started", { room: { name: "sip-1" } })));
        expect(await drain(A, NOW + 3000)).toEqual(["participant_joined"]);
        expect(await drain(B, NOW + 3000)).toEqual(["participant_joined", "egress_started"]);
      });

      test("but not when that call has been finished for more than an hour", async () => {
        await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)), event("room_finished"));
        await keep(at(NOW + HOUR, event("egress_ended", { room: { name: "sip-1" } })));
        await keep(at(NOW + HOUR + 1, event("egress_ended", { room: { name: "sip-1" } })));
        expect(await drain(A, NOW + 2 * HOUR)).toEqual(["participant_joined", "room_finished", "egress_ended"]);
      });

      test("an event that belongs to no known call is kept, and listed as unmatched", async () => {
        const [result] = await keep(event("egress_ended", { room: { name: "sip-unknown" } }));
        expect(result).toMatchObject({ kind: "kept", held: true, roomSid: undefined });
        expect(await storage.listUnmatched(NOW)).toEqual([{ roomSid: undefined, roomName: "sip-unknown", events: 1 }]);
      });

      test("what is held is listed once: after the time given, or when its room has finished", async () => {
        await keep(event("room_started"), event("participant_joined", { participant: sip("PA_1") }, nobody));
        expect(await storage.listUnmatched(NOW - 1)).toEqual([]);
        const listed = await storage.listUnmatched(NOW);
        expect(listed).toMatchObject([{ roomName: "sip-1", events: 2 }]);
        expect(await storage.listUnmatched(NOW)).toEqual([]);
        await keep(event("room_finished"));
        expect(await storage.listUnmatched(NOW - HOUR)).toMatchObject([{ events: 1 }]);
      });

      test("what was listed still goes to the hook that the call gets later, in order", async () => {
        await keep(event("room_started"), event("participant_joined", { participant: sip("PA_1") }, nobody));
        await storage.listUnmatched(NOW);
        await keep(at(NOW + 60_000, event("participant_joined", { participant: sip("PA_2") }, to(A))));
        expect(await drain(A, NOW + 60_000)).toEqual(["room_started", "participant_joined", "participant_joined"]);
        expect(await storage.listUnmatched(NOW + HOUR)).toEqual([]);
      });

      test("a batch is kept whole or not at all", async () => {
        const good = event("participant_joined", { participant: sip("PA_1") }, to(A));
        const denied = event("participant_left", { participant: sip("PA_1") }, to(A));
        const broken = (hook: HookId) => {
          if (hook === B) throw new Error("injected");
          return "ordered" as const;
        };
        const bad = event("participant_joined", { participant: sip("PA_2") }, to(B));
        await expect(storage.commit([good, bad], broken)).rejects.toThrow("injected");
        expect(await drain(A)).toEqual([]);
        // The memory of the call must not have kept what was rolled back.
        const [result] = await keep(denied);
        expect(result).toMatchObject({ kind: "kept", hooks: [A] });
        expect(await drain(A)).toEqual(["participant_left"]);
      });

      test("owner tasks are kept until they are done, and not for a finished room", async () => {
        const claimed = { ...to(A), owner: "tenant-a" } as Match;
        const joined = event("participant_joined", { participant: sip("PA_1") }, claimed);
        const [first] = await keep(joined);
        const task = { roomSid: joined.event.roomSid, roomName: "sip-1", authId: "tenant-a" };
        expect(first).toMatchObject({ ownerTask: task });
        const [second] = await keep(event("participant_left", { participant: sip("PA_1") }, claimed));
        expect(second).toMatchObject({ kind: "kept", ownerTask: undefined });
        await reopen();
        const [open] = await storage.ownerTasks();
        expect(open as unknown).toEqual(task);
        if (open !== undefined) await storage.ownerTaskDone(open);
        expect(await storage.ownerTasks()).toEqual([]);
        await keep(event("participant_joined", { room: room("RM_2"), participant: sip("PA_9") }, claimed));
        await keep(event("room_finished", { room: room("RM_2") }));
        expect(await storage.ownerTasks()).toEqual([]);
      });
    });

    describe("lanes", () => {
      test("only the head of a lane is handed out, and the next one when it is settled", async () => {
        await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)), event("room_finished"));
        const { deliveries } = await claim(A);
        expect(deliveries.map((delivery) => delivery.eventName)).toEqual(["participant_joined"]);
        expect((await claim(A, { busy: deliveries.map((d) => d.lane) })).deliveries).toEqual([]);
        await storage.settle(deliveries.map((d) => settlement(d, { kind: "delivered" })));
        expect((await claim(A)).deliveries.map((delivery) => delivery.eventName)).toEqual(["room_finished"]);
      });

      test("a retry keeps its lane waiting until it is due, and counts its attempts", async () => {
        await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)), event("room_finished"));
        const [first] = (await claim(A)).deliveries;
        await storage.settle([
          settlement(first, { kind: "retry", dueAt: NOW + 5000, wait: 5000, counts: true, refusal: true }),
        ]);
        expect(await claim(A, { now: NOW + 4999 })).toEqual({ deliveries: [], nextDue: NOW + 5000 });
        await reopen();
        const [again] = (await claim(A, { now: NOW + 5000 })).deliveries;
        expect(again).toMatchObject({ id: first?.id ?? -1, attempts: 1, failures: 1, refusals: 1 });
      });

      test("what waits for its retry is handed out before its time to a probe, and to all when it is made due", async () => {
        await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)));
        await keep(event("participant_joined", { room: room("RM_2"), participant: sip("PA_2") }, to(A)));
        const { deliveries } = await claim(A);
        const later = { kind: "retry", dueAt: NOW + HOUR, wait: HOUR, counts: false, refusal: false } as const;
        await storage.settle(deliveries.map((delivery) => settlement(delivery, later)));
        expect((await claim(A)).deliveries).toEqual([]);
        const [probe] = (await claim(A, { now: Infinity, limit: 1 })).deliveries;
        expect(probe).toMatchObject({ attempts: 1, failures: 0 });
        expect(await storage.makeDue(A, NOW)).toBe(2);
        expect((await claim(A)).deliveries).toHaveLength(2);
      });

      test.each([{ kind: "dead", reason: "tried enough" }, { kind: "expired" }] as const)(
        "when a delivery ends as $kind its lane goes on with the next one",
        async (outcome) => {
          await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)), event("room_finished"));
          const [first] = (await claim(A)).deliveries;
          await storage.settle([settlement(first, outcome)]);
          expect(await drain(A)).toEqual(["room_finished"]);
        },
      );

      test("lanes of other calls and of other hooks do not wait for it", async () => {
        await keep(
          event("participant_joined", { room: room("RM_1"), participant: sip("PA_1") }, to(A)),
          event("participant_joined", { room: room("RM_2"), participant: sip("PA_2") }, to(A)),
          event("participant_joined", { room: room("RM_1"), participant: sip("PA_3") }, to(B)),
        );
        const [stuck] = (await claim(A, { limit: 1 })).deliveries;
        const others = await claim(A, { busy: stuck === undefined ? [] : [stuck.lane] });
        expect(others.deliveries.map((delivery) => String(delivery.roomSid))).toEqual(["RM_2"]);
        expect((await claim(B)).deliveries).toHaveLength(1);
      });

      test("what has been due longest comes first, and what is due at the same time always in the same order", async () => {
        for (let i = 0; i < 6; i++) {
          await keep(event("participant_joined", { room: room(`RM_${i}`), participant: sip(`PA_${i}`) }, to(A)));
        }
        const { deliveries } = await claim(A);
        const seconds = [3, 1, 1, 2, 1, 3];
        await storage.settle(
          deliveries.toReversed().map((delivery) => {
            const due = NOW + (seconds[Number(delivery.roomSid?.slice(3))] ?? 0) * 1000;
            return settlement(delivery, { kind: "retry", dueAt: due, wait: due - NOW, counts: true, refusal: false });
          }),
        );
        const order = async () =>
          (await claim(A, { now: NOW + 2000 })).deliveries.map(({ roomSid }) => String(roomSid));
        const first = await order();
        expect(first.slice(0, 3).toSorted()).toEqual(["RM_1", "RM_2", "RM_4"]);
        expect(first.slice(3)).toEqual(["RM_3"]);
        expect((await claim(A, { now: NOW + 2000 })).nextDue).toBe(NOW + 3000);
        await reopen();
        expect(await order()).toEqual(first);
      });

      test("making due shortens the waits that are longer, and no others", async () => {
        await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)));
        await keep(event("participant_joined", { room: room("RM_2"), participant: sip("PA_2") }, to(A)));
        const [one, two] = (await claim(A)).deliveries;
        const later = (ms: number) =>
          ({ kind: "retry", dueAt: NOW + ms, wait: ms, counts: true, refusal: false }) as const;
        await storage.settle([settlement(one, later(5000)), settlement(two, later(HOUR))]);
        expect(await storage.makeDue(A, NOW + 10_000)).toBe(1);
        expect(await claim(A)).toEqual({ deliveries: [], nextDue: NOW + 5000 });
        const due = await claim(A, { now: NOW + 10_000 });
        expect(due.deliveries).toHaveLength(2);
      });

      test("after the clock was set back nothing waits longer than it was to wait when it failed", async () => {
        await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)));
        await keep(event("participant_joined", { room: room("RM_2"), participant: sip("PA_2") }, to(A)));
        await keep(event("participant_joined", { room: room("RM_3"), participant: sip("PA_3") }, to(A)));
        const [one, two] = (await claim(A)).deliveries;
        const later = (ms: number) =>
          ({ kind: "retry", dueAt: NOW + ms, wait: ms, counts: true, refusal: false }) as const;
        await storage.settle([settlement(one, later(5000)), settlement(two, later(HOUR))]);
        await reopen();
        // The same clock: they wait as they were to.
        await storage.limitWaits(A, NOW);
        expect((await claim(A, { now: NOW + 4999 })).deliveries).toHaveLength(1);
        await storage.limitWaits(A, NOW - HOUR);
        const soon = await claim(A, { now: NOW - HOUR + 5000 });
        expect(soon.deliveries.map(({ lane }) => lane)).toContain(one?.lane ?? 0);
        expect(soon.deliveries).toHaveLength(2);
        expect(soon.nextDue).toBe(NOW);
      });

      test("at most as many as asked for, and the time of the next one is told", async () => {
        for (let i = 0; i < 5; i++) {
          await keep(event("participant_joined", { room: room(`RM_${i}`), participant: sip(`PA_${i}`) }, to(A)));
        }
        const { deliveries, nextDue } = await claim(A, { limit: 3 });
        expect(deliveries).toHaveLength(3);
        expect(nextDue).toBe(NOW);
      });

      test("20 events of one lane in one batch go out in their order", async () => {
        const names = Array.from({ length: 20 }, (_, i) => `event_${i}`);
        await keep(
          event("participant_joined", { participant: sip("PA_1") }, to(A)),
          ...names.map((name) => event(name)),
        );
        expect(await drain(A)).toEqual(["participant_joined", ...names]);
      });

      test("everything pending is there after a reopening, and waitingHooks names its hooks", async () => {
        await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)));
        expect(await storage.waitingHooks()).toEqual([A]);
        await reopen();
        expect(await storage.waitingHooks()).toEqual([A]);
        expect(await drain(A)).toEqual(["participant_joined"]);
        expect(await storage.waitingHooks()).toEqual([]);
      });

      test("cancelling takes all that is pending, and what comes later goes out", async () => {
        await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)), event("egress_started"));
        await keep(event("participant_joined", { room: room("RM_2"), participant: sip("PA_2") }, to(A)));
        expect(await storage.cancelHook(A)).toBe(3);
        expect(await claim(A)).toEqual({ deliveries: [], nextDue: undefined });
        await keep(event("room_finished"));
        expect(await drain(A)).toEqual(["room_finished"]);
      });

      test("a delivery that is cancelled while under way does not come back when it fails", async () => {
        await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)));
        const [underWay] = (await claim(A)).deliveries;
        await storage.cancelHook(A);
        await storage.settle([
          settlement(underWay, { kind: "retry", dueAt: NOW, wait: 0, counts: true, refusal: false }),
        ]);
        expect(await drain(A)).toEqual([]);
      });

      test("a delivery for a hook that is gone is cancelled from the start, and no other one waits for it", async () => {
        await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)));
        const [result] = await storage.commit(
          [event("track_published", { participant: { sid: "PA_1" } })],
          () => "gone",
        );
        expect(result).toMatchObject({ kind: "kept", hooks: [] });
        await keep(event("room_finished"));
        expect(await drain(A)).toEqual(["participant_joined", "room_finished"]);
      });
    });

    describe("without order", () => {
      const unordered = () => "unordered" as const;

      test("the deliveries of a call go out beside each other", async () => {
        const joined = event("participant_joined", { participant: sip("PA_1") }, to(A));
        await storage.commit([joined, event("room_finished")], unordered);
        expect((await claim(A)).deliveries.map((delivery) => delivery.eventName)).toEqual([
          "participant_joined",
          "room_finished",
        ]);
      });

      test("an event that a hook does not want is no delivery, and no other one waits for it", async () => {
        const joined = event("participant_joined", { participant: sip("PA_1") }, to(A));
        const plan = (_: HookId, name: string) =>
          name === "track_published" ? ("unwanted" as const) : ("ordered" as const);
        const track = event("track_published", { participant: { sid: "PA_1" } });
        const results = await storage.commit([joined, track, event("room_finished")], plan);
        expect(results[1]).toMatchObject({ kind: "kept", held: false, hooks: [] });
        expect(await drain(A)).toEqual(["participant_joined", "room_finished"]);
      });
    });

    testHooks(() => storage, reopen);

    test("a storage that can be written says so", async () => {
      await storage.checkWritable();
    });
  });
}

let lastId = 0;

function event(name: string, members: JsonObject = {}, match?: Match): IncomingEvent {
  const json = { event: name, id: `EV_${++lastId}`, createdAt: "1795301401", room: room("RM_1"), ...members };
  const body = new TextEncoder().encode(JSON.stringify(json));
  const contentType = "application/webhook+json";
  return { event: readLiveKitEvent(json, body), contentType, body, receivedAt: NOW, match };
}

function at(time: number, incoming: IncomingEvent): IncomingEvent {
  return { ...incoming, receivedAt: time };
}

function room(sid: string) {
  return { sid, name: "sip-1" };
}

function sip(sid: string) {
  return { sid, kind: "SIP", attributes: { "sip.callID": "SCL_1" } };
}

function to(hook: HookId): Match {
  return { kind: "hook", hook, matcher: "exact-host", host: undefined };
}

const nobody: Match = { kind: "none", host: undefined };

function settlement(delivery: PendingDelivery | undefined, outcome: Outcome, now = NOW) {
  if (delivery === undefined) throw new Error("no delivery was claimed");
  const attempt = { startedAt: now, durationMs: 3, status: 200, error: undefined, answerStart: undefined };
  return { delivery, at: now, attempt, outcome };
}

function pattern(text: string): HostPattern {
  const parsed = parseHostPattern(text);
  if (parsed === undefined) throw new Error(`${text} is no host pattern`);
  return parsed;
}
