import { describe, expect, test } from "bun:test";
import type { HookId } from "../../../domain/ids";
import { A, event, sip, to } from "../sample-events";
import type { DeliveringStorage } from "./delivering-storage";

/** Deliveries that wait for no other one, and events that are none. */
export function testWithoutOrder(under: DeliveringStorage): void {
  const { drain, claim } = under;

  describe("without order", () => {
    const unordered = () => "unordered" as const;

    test("the deliveries of a call go out beside each other", async () => {
      const joined = event("participant_joined", { participant: sip("PA_1") }, to(A));
      await under.storage.commit([joined, event("room_finished")], unordered);
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
      const results = await under.storage.commit([joined, track, event("room_finished")], plan);
      expect(results[1]).toMatchObject({ kind: "kept", held: false, hooks: [] });
      expect(await drain(A)).toEqual(["participant_joined", "room_finished"]);
    });
  });
}
