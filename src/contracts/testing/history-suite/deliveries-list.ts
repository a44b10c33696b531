import { describe, expect, test } from "bun:test";
import { roomSid } from "../../../domain/ids";
import type { DeliveryFilter } from "../../history";
import { allPages } from "./all-pages";
import type { HistoryUnderTest } from "./history-under-test";
import { A, B, DEAD, event, HOUR, NOW, sip, tenantA, tenantB, to } from "../sample-events";

/** Deliveries, listed and one by one. */
export function testDeliveriesList(under: HistoryUnderTest): void {
  const { keep, end, list, callOfA, sharedRoom } = under;

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
      const [first] = (await under.storage.claim(A, { now: NOW, limit: 1, busy: new Set() })).deliveries;
      if (first === undefined) throw new Error("nothing was claimed");
      const attempt = {
        startedAt: NOW,
        durationMs: 3,
        status: undefined,
        error: "dns: ENOTFOUND: x",
        answerStart: undefined,
      };
      const retry = { kind: "retry", dueAt: NOW + 5000, wait: 5000, counts: true, refusal: false } as const;
      await under.storage.settle([{ delivery: first, at: NOW, attempt, outcome: retry }]);
      expect(await under.storage.delivery(first.id, "operator")).toMatchObject({
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
      for (const filter of [{}, { host: "a.example.com" }, { authId: "tenant-a" }, { states: ["pending"] as const }]) {
        const seen: number[] = [];
        let after: { after?: string } = {};
        for (let i = 0; ; i++) {
          const page = await under.storage.deliveries(
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
      const found = await allPages((after) =>
        under.storage.deliveries({ viewer: "operator", room: "sip-direct" }, { limit: 1, ...after }),
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
        await expect(under.storage.deliveries({ viewer: "operator" }, { limit: 1, after })).rejects.toThrow("cursor");
        await expect(under.storage.calls({ viewer: "operator" }, { limit: 1, after })).rejects.toThrow("cursor");
        await expect(under.storage.unmatched({}, { limit: 1, after })).rejects.toThrow("cursor");
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
      expect(await under.storage.delivery(ofB?.id ?? 0, tenantA)).toBeUndefined();
      expect(await under.storage.delivery(ofB?.id ?? 0, tenantB)).toMatchObject({ hook: { authId: "tenant-b" } });
    });
  });
}
