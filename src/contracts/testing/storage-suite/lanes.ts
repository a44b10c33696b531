import { describe, expect, test } from "bun:test";
import { A, B, event, HOUR, NOW, room, sip, to } from "../sample-events";
import { settlement, type DeliveringStorage } from "./delivering-storage";

/** What goes out next, and what becomes of it. */
export function testLanes(under: DeliveringStorage): void {
  const { keep, drain, claim, reopen } = under;

  describe("lanes", () => {
    test("only the head of a lane is handed out, and the next one when it is settled", async () => {
      await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)), event("room_finished"));
      const { deliveries } = await claim(A);
      expect(deliveries.map((delivery) => delivery.eventName)).toEqual(["participant_joined"]);
      expect((await claim(A, { busy: deliveries.map((d) => d.lane) })).deliveries).toEqual([]);
      await under.storage.settle(deliveries.map((d) => settlement(d, { kind: "delivered" })));
      expect((await claim(A)).deliveries.map((delivery) => delivery.eventName)).toEqual(["room_finished"]);
    });

    test("a retry keeps its lane waiting until it is due, and counts its attempts", async () => {
      await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)), event("room_finished"));
      const [first] = (await claim(A)).deliveries;
      await under.storage.settle([
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
      await under.storage.settle(deliveries.map((delivery) => settlement(delivery, later)));
      expect((await claim(A)).deliveries).toEqual([]);
      const [probe] = (await claim(A, { now: Infinity, limit: 1 })).deliveries;
      expect(probe).toMatchObject({ attempts: 1, failures: 0 });
      expect(await under.storage.makeDue(A, NOW)).toBe(2);
      expect((await claim(A)).deliveries).toHaveLength(2);
    });

    test.each([{ kind: "dead", reason: "tried enough" }, { kind: "expired" }] as const)(
      "when a delivery ends as $kind its lane goes on with the next one",
      async (outcome) => {
        await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)), event("room_finished"));
        const [first] = (await claim(A)).deliveries;
        await under.storage.settle([settlement(first, outcome)]);
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
      await under.storage.settle(
        deliveries.toReversed().map((delivery) => {
          const due = NOW + (seconds[Number(delivery.roomSid?.slice(3))] ?? 0) * 1000;
          return settlement(delivery, { kind: "retry", dueAt: due, wait: due - NOW, counts: true, refusal: false });
        }),
      );
      const order = async () => (await claim(A, { now: NOW + 2000 })).deliveries.map(({ roomSid }) => String(roomSid));
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
      await under.storage.settle([settlement(one, later(5000)), settlement(two, later(HOUR))]);
      expect(await under.storage.makeDue(A, NOW + 10_000)).toBe(1);
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
      await under.storage.settle([settlement(one, later(5000)), settlement(two, later(HOUR))]);
      await reopen();
      // The same clock: they wait as they were to.
      await under.storage.limitWaits(A, NOW);
      expect((await claim(A, { now: NOW + 4999 })).deliveries).toHaveLength(1);
      await under.storage.limitWaits(A, NOW - HOUR);
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
      await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)), ...names.map((name) => event(name)));
      expect(await drain(A)).toEqual(["participant_joined", ...names]);
    });

    test("everything pending is there after a reopening, and waitingHooks names its hooks", async () => {
      await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)));
      expect(await under.storage.waitingHooks()).toEqual([A]);
      await reopen();
      expect(await under.storage.waitingHooks()).toEqual([A]);
      expect(await drain(A)).toEqual(["participant_joined"]);
      expect(await under.storage.waitingHooks()).toEqual([]);
    });

    test("cancelling takes all that is pending, and what comes later goes out", async () => {
      await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)), event("egress_started"));
      await keep(event("participant_joined", { room: room("RM_2"), participant: sip("PA_2") }, to(A)));
      expect(await under.storage.cancelHook(A)).toBe(3);
      expect(await claim(A)).toEqual({ deliveries: [], nextDue: undefined });
      await keep(event("room_finished"));
      expect(await drain(A)).toEqual(["room_finished"]);
    });

    test("a delivery that is cancelled while under way does not come back when it fails", async () => {
      await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)));
      const [underWay] = (await claim(A)).deliveries;
      await under.storage.cancelHook(A);
      await under.storage.settle([
        settlement(underWay, { kind: "retry", dueAt: NOW, wait: 0, counts: true, refusal: false }),
      ]);
      expect(await drain(A)).toEqual([]);
    });

    test("a delivery that is cancelled while its last attempt is under way stays cancelled, for that reason", async () => {
      await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)));
      const [underWay] = (await claim(A)).deliveries;
      await under.storage.cancelHook(A);
      await under.storage.settle([settlement(underWay, { kind: "dead", reason: "6 attempts failed" })]);
      const { entries } = await under.storage.deliveries({ viewer: "operator" }, { limit: 10 });
      expect(entries.map(({ state, reason }) => [state, reason])).toEqual([["cancelled", "the hook was deleted"]]);
    });

    test("a delivery for a hook that is gone is cancelled from the start, and no other one waits for it", async () => {
      await keep(event("participant_joined", { participant: sip("PA_1") }, to(A)));
      const [result] = await under.storage.commit(
        [event("track_published", { participant: { sid: "PA_1" } })],
        () => "gone",
      );
      expect(result).toMatchObject({ kind: "kept", hooks: [] });
      await keep(event("room_finished"));
      expect(await drain(A)).toEqual(["participant_joined", "room_finished"]);
    });
  });
}
