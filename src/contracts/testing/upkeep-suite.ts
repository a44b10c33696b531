import { describe, expect, test } from "bun:test";
import type { HookId } from "../../domain/ids";
import type { JsonObject } from "../../domain/json";
import type { Match } from "../../domain/routing";
import type { DeliveryPlan, IncomingEvent, Outcome } from "../storage";
import type { RetentionLimits } from "../upkeep";
import { openedStorage, type StorageUnderTest } from "./opened-storage";
import { A, at, B, event as sampleEvent, HOUR, NOW, to } from "./sample-events";

const DAY = 24 * HOUR;
const LIMITS: RetentionLimits = { delivered: 7 * DAY, dead: 30 * DAY, unmatched: 30 * DAY, maxSize: Infinity };
/** Anything is more than this. */
const NO_ROOM: RetentionLimits = { ...LIMITS, maxSize: 1 };

/** The promises of `Upkeep`, as tests. Each implementation runs them. */
export function testUpkeep(title: string, create: () => Promise<StorageUnderTest>): void {
  describe(title, () => {
    const under = openedStorage(create);

    const keep = (events: readonly IncomingEvent[], plan: DeliveryPlan = "ordered") =>
      under.storage.commit(events, () => plan);

    /** Sweeps until nothing is left to do; how many events that removed. */
    async function sweep(limits: RetentionLimits, now: number): Promise<number> {
      let removed = 0;
      for (let steps = 0; ; steps++) {
        const step = await under.storage.sweep(limits, now);
        expect(step.removed).toBeLessThanOrEqual(100);
        removed += step.removed;
        if (!step.more) return removed;
        expect(steps).toBeLessThan(10_000);
      }
    }

    /** Ends everything that is due for the hook so. */
    async function end(hook: HookId, outcome: Outcome, now = NOW): Promise<number> {
      for (let ended = 0; ;) {
        const { deliveries } = await under.storage.claim(hook, { now, limit: 50, busy: new Set() });
        if (deliveries.length === 0) return ended;
        ended += deliveries.length;
        const attempt = { startedAt: now, durationMs: 3, status: 200, error: undefined, answerStart: Uint8Array.of(1) };
        await under.storage.settle(deliveries.map((delivery) => ({ delivery, at: now, attempt, outcome })));
      }
    }

    /** Whether these events are known, told by offering them again. */
    async function known(events: readonly IncomingEvent[]): Promise<string[]> {
      return (await keep(events)).map(({ kind }) => kind);
    }

    test("figures, where a storage has them, follow what waits and what it waited for", async () => {
      if (under.storage.figures === undefined) return;
      expect(await under.storage.figures()).toMatchObject({
        pending: 0,
        lanes: 0,
        oldestReceivedAt: undefined,
        unmatched: 0,
      });
      await keep([at(NOW, joined("RM_1", A)), at(NOW + 1_000, joined("RM_2", A)), at(NOW + 2_000, joined("RM_2", B))]);
      await keep([at(NOW + 3_000, event("room_finished", "RM_2"))]);
      // Of the last one each of the call's hooks has a delivery.
      expect(await under.storage.figures()).toMatchObject({ pending: 5, lanes: 3, oldestReceivedAt: NOW });
      const { deliveries } = await under.storage.claim(A, { now: NOW + 4_000, limit: 1, busy: new Set() });
      await under.storage.settle(
        deliveries.map((delivery) => ({ delivery, at: NOW, attempt: undefined, outcome: { kind: "delivered" } })),
      );
      expect(await under.storage.figures()).toMatchObject({ pending: 4, lanes: 2, oldestReceivedAt: NOW + 1_000 });
      await end(A, { kind: "delivered" }, NOW + 4_000);
      await end(B, { kind: "dead", reason: "tried enough" }, NOW + 4_000);
      await keep([at(NOW, event("room_started", "RM_3"))]);
      await under.storage.listUnmatched(NOW + 1);
      const after = await under.storage.figures();
      expect(after).toMatchObject({ pending: 0, lanes: 0, oldestReceivedAt: undefined, unmatched: 1 });
      expect(after.bytes).toBeGreaterThan(0);
      await keep([at(NOW + 9_000, joined("RM_3", B))]);
      expect((await under.storage.figures()).oldestReceivedAt).toBe(NOW);
    });

    describe("by age", () => {
      test.each([
        ["delivered", { kind: "delivered" }, 7 * DAY],
        ["dead", { kind: "dead", reason: "tried enough" }, 30 * DAY],
        ["expired", { kind: "expired" }, 30 * DAY],
      ] as const)(
        "a %s event goes when its time is over, counted from its end, and not before",
        async (_, outcome, age) => {
          await keep([joined("RM_1", A)]);
          await end(A, outcome, NOW + HOUR);
          expect(await sweep(LIMITS, NOW + HOUR + age - 1)).toBe(0);
          expect(await sweep(LIMITS, NOW + HOUR + age)).toBe(1);
          expect(await sweep(LIMITS, NOW + HOUR + age)).toBe(0);
        },
      );

      test("a cancelled one as a dead one", async () => {
        await keep([joined("RM_1", A)], "gone");
        expect(await sweep(LIMITS, NOW + 30 * DAY - 1)).toBe(0);
        expect(await sweep(LIMITS, NOW + 30 * DAY)).toBe(1);
      });

      test("one that no hook wanted as a delivered one, counted from its arrival", async () => {
        await keep([joined("RM_1", A)], "unwanted");
        expect(await sweep(LIMITS, NOW + 7 * DAY - 1)).toBe(0);
        expect(await sweep(LIMITS, NOW + 7 * DAY)).toBe(1);
      });

      test("one that found no hook, listed or held, after the time for unmatched ones", async () => {
        await keep([event("room_started", "RM_1"), event("egress_ended", undefined)]);
        await under.storage.listUnmatched(NOW);
        await keep([event("room_started", "RM_2")]);
        expect(await sweep(LIMITS, NOW + 30 * DAY - 1)).toBe(0);
        expect(await sweep(LIMITS, NOW + 30 * DAY)).toBe(3);
      });

      test("an event with two hooks waits for the later one of its ends", async () => {
        await keep([joined("RM_1", A), joined("RM_1", B), event("room_finished", "RM_1")]);
        await end(A, { kind: "delivered" });
        await end(B, { kind: "dead", reason: "no" });
        // A's caller arrived, B's died, room_finished did both.
        expect(await sweep(LIMITS, NOW + 7 * DAY)).toBe(1);
        expect(await sweep(LIMITS, NOW + 30 * DAY)).toBe(2);
      });

      test("what is pending is never removed, however old, and still goes out", async () => {
        await keep([joined("RM_1", A), event("room_finished", "RM_1")]);
        expect(await sweep(LIMITS, NOW + 1000 * DAY)).toBe(0);
        expect(await end(A, { kind: "delivered" })).toBe(2);
      });

      test("events that came while the clock was ahead do not keep older ones from going", async () => {
        await keep([at(NOW + 1000 * DAY, joined("RM_1", A))]);
        await keep([joined("RM_2", A)]);
        await end(A, { kind: "delivered" });
        expect(await sweep(LIMITS, NOW + 7 * DAY)).toBe(1);
      });

      test("1,000 events go in steps of at most 100, and everything pending among them stays", async () => {
        const events = Array.from({ length: 1000 }, (_, i) => joined(`RM_${i}`, i % 10 === 0 ? B : A));
        await keep(events);
        await end(A, { kind: "delivered" });
        expect(await sweep(LIMITS, NOW + 8 * DAY)).toBe(900);
        expect(await end(B, { kind: "delivered" })).toBe(100);
      });
    });

    describe("by size", () => {
      test.each([
        ["delivered events go first", 2, ["delivered"]],
        ["then those without a hook", 1.2, ["delivered", "unmatched"]],
        ["then dead ones, and what is pending never", 0.1, ["delivered", "unmatched", "dead"]],
      ] as const)("%s", async (_, mebibytes, expected) => {
        const fifty = (make: (i: number) => IncomingEvent) =>
          Array.from({ length: 50 }, (_i, i) => padded(make(i), 16_384));
        const groups = {
          dead: fifty((i) => joined(`RM_d${i}`, A)),
          unmatched: fifty((i) => event("room_started", `RM_u${i}`)),
          delivered: fifty((i) => joined(`RM_a${i}`, A)),
          pending: fifty((i) => joined(`RM_p${i}`, B)),
        };
        await keep(groups.dead);
        await end(A, { kind: "dead", reason: "no" });
        await keep(groups.unmatched);
        await keep(groups.delivered);
        await keep(groups.pending.slice(0, 1));
        await under.storage.listUnmatched(NOW);
        await end(A, { kind: "delivered" });
        // By then an id is not remembered any more, so that a removed event would be kept again.
        const later = NOW + 3 * HOUR;
        expect(await sweep({ ...LIMITS, maxSize: mebibytes * 1024 * 1024 }, later)).toBe(50 * expected.length);
        const gone: string[] = [];
        for (const name of ["delivered", "unmatched", "dead"] as const) {
          const answers = new Set(await known(groups[name].map((incoming) => at(later, incoming))));
          expect(answers.size).toBe(1);
          if (answers.has("kept")) gone.push(name);
        }
        expect(gone).toEqual([...expected]);
        expect(await end(B, { kind: "delivered" })).toBe(1);
      });

      test("the oldest go first, and no more than needed", async () => {
        // Bodies that make up nearly all of the size.
        const events = Array.from({ length: 300 }, (_, i) => padded(joined(`RM_${i}`, A), 16 * 1024));
        await keep(events);
        await end(A, { kind: "delivered" });
        const limits = { ...LIMITS, maxSize: 3 * 1024 * 1024 };
        expect(await under.storage.room(limits)).toBe("over");
        const removed = await sweep(limits, NOW + 3 * HOUR);
        expect(await under.storage.room(limits)).toBe("enough");
        expect(removed).toBeGreaterThanOrEqual(100);
        expect(removed).toBeLessThan(300);
        const again = await known(events.map((incoming) => at(NOW + 3 * HOUR, incoming)));
        expect(again).toEqual(events.map((_, i) => (i < removed ? "kept" : "duplicate")));
      });

      test("with nothing but pending events it says that it is stuck, goes on keeping, and is over it with more room", async () => {
        await keep([joined("RM_1", A)]);
        expect(await sweep(NO_ROOM, NOW)).toBe(0);
        expect(await under.storage.room(NO_ROOM)).toBe("stuck");
        expect(await known([joined("RM_2", A)])).toEqual(["kept"]);
        expect(await under.storage.room(LIMITS)).toBe("enough");
        expect(await end(A, { kind: "delivered" })).toBe(2);
      });

      test("events that are held for the hook of their call are not removed for the size", async () => {
        await keep([event("room_started", "RM_1")]);
        expect(await sweep(NO_ROOM, NOW)).toBe(0);
        await keep([joined("RM_1", A)]);
        expect(await end(A, { kind: "delivered" })).toBe(2);
      });
    });

    describe("what outlives the events", () => {
      test("their ids, for at least an hour after the arrival: a repetition stays a duplicate", async () => {
        const events = [joined("RM_1", A), event("room_finished", "RM_1")];
        await keep(events);
        await end(A, { kind: "delivered" });
        expect(await sweep(NO_ROOM, NOW)).toBe(2);
        expect(await known(events)).toEqual(["duplicate", "duplicate"]);
        await under.reopen();
        await sweep(NO_ROOM, NOW + HOUR);
        expect(await known(events)).toEqual(["duplicate", "duplicate"]);
      });

      test("and ids are not kept for ever", async () => {
        const once = joined("RM_1", A);
        await keep([once]);
        await end(A, { kind: "delivered" });
        await sweep(NO_ROOM, NOW);
        await sweep(LIMITS, NOW + DAY);
        expect(await known([at(NOW + DAY, once)])).toEqual(["kept"]);
      });

      test("the call's memory, for 24 h after its last event: later events still find their hook", async () => {
        await keep([joined("RM_1", A)]);
        await end(A, { kind: "delivered" });
        expect(await sweep(NO_ROOM, NOW + DAY - 1)).toBe(1);
        await under.reopen();
        await keep([at(NOW + DAY - 1, event("track_published", "RM_1", { participant: { sid: "PA_RM_1" } }))]);
        expect(await end(A, { kind: "delivered" }, NOW + DAY)).toBe(1);
        // That was an event, so the 24 h begin anew.
        await sweep(NO_ROOM, NOW + 2 * DAY - 2);
        await keep([at(NOW + 2 * DAY - 2, event("room_finished", "RM_1"))]);
        expect(await end(A, { kind: "delivered" }, NOW + 2 * DAY)).toBe(1);
      });

      test("then the call is forgotten: the same room sid begins a new one, which is kept and delivered", async () => {
        await keep([joined("RM_1", A)]);
        await end(A, { kind: "delivered" });
        await sweep(NO_ROOM, NOW + DAY);
        const [again] = await keep([at(NOW + DAY, event("room_started", "RM_1"))]);
        expect(again).toMatchObject({ kind: "kept", held: true });
        await keep([at(NOW + DAY, joined("RM_1", B))]);
        expect(await end(B, { kind: "delivered" }, NOW + DAY)).toBe(2);
        expect(await end(A, { kind: "delivered" }, NOW + DAY)).toBe(0);
      });
    });
  });
}

function event(name: string, sid: string | undefined, members: JsonObject = {}, match?: Match): IncomingEvent {
  const room = { name: "sip-1", ...(sid === undefined ? {} : { sid }) };
  return sampleEvent(name, { room, ...members }, match);
}

/** A caller of this hook's host joins. */
function joined(sid: string, hook: HookId): IncomingEvent {
  const participant = { sid: `PA_${sid}${hook === A ? "" : "_b"}`, kind: "SIP", attributes: { "sip.callID": "SCL_1" } };
  return event("participant_joined", sid, { participant }, to(hook));
}

/** With a body of this many bytes; storages do not read bodies. */
function padded(incoming: IncomingEvent, bytes: number): IncomingEvent {
  return { ...incoming, body: new Uint8Array(bytes).fill(0x20) };
}
