import { describe, expect, test } from "bun:test";
import { roomSid } from "../../../domain/ids";
import type { HistoryUnderTest } from "./history-under-test";
import { A, HOUR, NOW, tenantA, tenantB } from "../sample-events";

/** Giving up what is pending. */
export function testCancelling(under: HistoryUnderTest): void {
  const { end, list, replay, callOfA, sharedRoom } = under;

  describe("cancelling", () => {
    const states = async (filter = {}) => (await list(filter)).map(({ state }) => state);

    test("takes single deliveries, and the lane goes on with the next", async () => {
      await callOfA();
      const [, , first] = await list();
      const selection = { kind: "deliveries", ids: [first?.id ?? 0, 999_999], viewer: "operator" } as const;
      expect(await under.storage.cancelPending(selection, "cancelled by an operator", NOW)).toBe(1);
      expect(await under.storage.cancelPending(selection, "cancelled by an operator", NOW)).toBe(0);
      expect(await list({ states: ["cancelled"] })).toMatchObject([
        { reason: "cancelled by an operator", settledAt: NOW },
      ]);
      expect(await end(A)).toEqual(["participant_joined", "room_finished"]);
    });

    test("takes all that a hook has pending, or a call", async () => {
      await callOfA("RM_1");
      await callOfA("RM_2");
      const call = { kind: "call", roomSid: roomSid("RM_1"), viewer: "operator" } as const;
      expect(await under.storage.cancelPending(call, "because", NOW)).toBe(3);
      expect(await states({ roomSid: roomSid("RM_1") })).toEqual(["cancelled", "cancelled", "cancelled"]);
      expect(await under.storage.cancelPending({ kind: "hook", hook: A }, "because", NOW)).toBe(3);
      expect(await end(A)).toEqual([]);
      expect((await list({ states: ["cancelled"] })).map(({ reason }) => reason)).toEqual(Array(6).fill("because"));
      await callOfA("RM_3");
      expect(await end(A)).toHaveLength(3);
    });

    test("what was cancelled can be replayed", async () => {
      await callOfA();
      await under.storage.cancelPending({ kind: "hook", hook: A }, "because", NOW);
      expect(await replay()).toMatchObject({ queued: 3 });
      expect(await end(A, { kind: "delivered" }, NOW + 3 * HOUR)).toHaveLength(3);
    });

    test("a tenant cancels its own only", async () => {
      await sharedRoom();
      const ofB = (await list({ viewer: tenantB })).map(({ id }) => id);
      const byId = { kind: "deliveries", ids: ofB, viewer: tenantA } as const;
      expect(await under.storage.cancelPending(byId, "because", NOW)).toBe(0);
      const call = { kind: "call", roomSid: roomSid("RM_1"), viewer: tenantA } as const;
      expect(await under.storage.cancelPending(call, "because", NOW)).toBe(5);
      expect(await states({ viewer: tenantB })).toEqual(ofB.map(() => "pending"));
    });
  });
}
