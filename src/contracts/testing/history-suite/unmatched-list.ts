import { describe, expect, test } from "bun:test";
import { allPages } from "./all-pages";
import type { HistoryUnderTest } from "./history-under-test";
import { event, nobody, NOW, sip } from "../sample-events";

/** Events that went to no hook. */
export function testUnmatchedList(under: HistoryUnderTest): void {
  const { keep, callOfA } = under;

  describe("events without a hook", () => {
    const listUnmatched = (filter = {}) => allPages((after) => under.storage.unmatched(filter, { limit: 2, ...after }));

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
      await under.storage.listUnmatched(NOW);
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
      await under.storage.listUnmatched(NOW);
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
      await under.storage.listUnmatched(NOW + 10);
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
      await under.storage.listUnmatched(NOW);
      expect((await listUnmatched({ maySeeHost: own })).map(({ roomName }) => roomName)).toEqual(["sip-1"]);
    });
  });
}
