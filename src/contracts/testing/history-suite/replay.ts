import { describe, expect, test } from "bun:test";
import { roomSid } from "../../../domain/ids";
import { UNSUCCESSFUL } from "../../history";
import type { HistoryUnderTest } from "./history-under-test";
import { A, B, DEAD, event, HOUR, NOW, tenantA, tenantB } from "../sample-events";

/** Asking for deliveries again. */
export function testReplay(under: HistoryUnderTest): void {
  const { keep, end, list, replay, callOfA, sharedRoom } = under;

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
      const [head] = (await under.storage.claim(A, { now: NOW + 2 * HOUR, limit: 10, busy: new Set() })).deliveries;
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
      const [first] = (await under.storage.claim(A, { now: NOW, limit: 1, busy: new Set() })).deliveries;
      if (first === undefined) throw new Error("nothing was claimed");
      await under.storage.settle([{ delivery: first, at: NOW, attempt: undefined, outcome: { kind: "delivered" } }]);
      await end(A, DEAD);
      const options = { plan: () => "ordered" as const, at: NOW + HOUR, dryRun: false };
      await under.storage.replay({ kind: "delivery", id: first.id, viewer: "operator" }, options);
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
      await under.storage.replay({ kind: "delivery", id: first?.id ?? 0, viewer: "operator" }, options);
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
        const result = await under.storage.replay(selection, { plan: () => plan, at: NOW, dryRun: false });
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
        const part = await under.storage.replay({ kind: "filter", filter, limit: 7, ...after }, options);
        queued += part.queued;
        after = part.next === undefined ? {} : { after: part.next };
      } while (after.after !== undefined);
      expect(queued).toBe(30);
      expect(await end(A, { kind: "delivered" }, NOW + 3 * HOUR)).toHaveLength(30);
      const { entries } = await under.storage.timeline(roomSid("RM_15"), "operator", { limit: 10 });
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
      const one = await under.storage.replay({ kind: "delivery", id: ofB?.id ?? 0, viewer: tenantA }, options);
      expect(one).toMatchObject({ queued: 0, pending: 0 });
    });
  });
}
