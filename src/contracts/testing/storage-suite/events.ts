import { describe, expect, test } from "bun:test";
import type { HookId } from "../../../domain/ids";
import type { Match } from "../../../domain/routing";
import { A, at, B, event, HOUR, nobody, NOW, room, sip, to } from "../sample-events";
import type { DeliveringStorage } from "./delivering-storage";

/** What is kept of events, and which calls they belong to. */
export function testEvents(under: DeliveringStorage): void {
  const { keep, drain, claim, reopen } = under;

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
      expect(await under.storage.listUnmatched(NOW)).toEqual([
        { roomSid: undefined, roomName: "sip-unknown", events: 1 },
      ]);
    });

    test("what is held is listed once: after the time given, or when its room has finished", async () => {
      await keep(event("room_started"), event("participant_joined", { participant: sip("PA_1") }, nobody()));
      expect(await under.storage.listUnmatched(NOW - 1)).toEqual([]);
      const listed = await under.storage.listUnmatched(NOW);
      expect(listed).toMatchObject([{ roomName: "sip-1", events: 2 }]);
      expect(await under.storage.listUnmatched(NOW)).toEqual([]);
      await keep(event("room_finished"));
      expect(await under.storage.listUnmatched(NOW - HOUR)).toMatchObject([{ events: 1 }]);
    });

    test("what was listed still goes to the hook that the call gets later, in order", async () => {
      await keep(event("room_started"), event("participant_joined", { participant: sip("PA_1") }, nobody()));
      await under.storage.listUnmatched(NOW);
      await keep(at(NOW + 60_000, event("participant_joined", { participant: sip("PA_2") }, to(A))));
      expect(await drain(A, NOW + 60_000)).toEqual(["room_started", "participant_joined", "participant_joined"]);
      expect(await under.storage.listUnmatched(NOW + HOUR)).toEqual([]);
    });

    test("a batch is kept whole or not at all", async () => {
      const good = event("participant_joined", { participant: sip("PA_1") }, to(A));
      const denied = event("participant_left", { participant: sip("PA_1") }, to(A));
      const broken = (hook: HookId) => {
        if (hook === B) throw new Error("injected");
        return "ordered" as const;
      };
      const bad = event("participant_joined", { participant: sip("PA_2") }, to(B));
      await expect(under.storage.commit([good, bad], broken)).rejects.toThrow("injected");
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
      const [open] = await under.storage.ownerTasks();
      expect(open as unknown).toEqual(task);
      if (open !== undefined) await under.storage.ownerTaskDone(open);
      expect(await under.storage.ownerTasks()).toEqual([]);
      await keep(event("participant_joined", { room: room("RM_2"), participant: sip("PA_9") }, claimed));
      await keep(event("room_finished", { room: room("RM_2") }));
      expect(await under.storage.ownerTasks()).toEqual([]);
    });
  });
}
