import { describe, expect, test } from "bun:test";
import { hookId } from "../../../domain/hook";
import { roomSid } from "../../../domain/ids";
import type { HistoryUnderTest } from "./history-under-test";
import { A, event, NOW, pattern, sip, to } from "../sample-events";

/** What the history knows of calls and hooks beside their events. */
export function testRemembered(under: HistoryUnderTest): void {
  const { keep, list } = under;

  describe("what is remembered of an event's call", () => {
    test("is told without changing anything", async () => {
      const unknown = event("room_started").event;
      expect(await under.storage.remembered(unknown, NOW)).toEqual({ duplicate: false, call: undefined });
      expect(await under.storage.call(roomSid("RM_1"), "operator")).toBeUndefined();
      const joined = event("participant_joined", { participant: sip("PA_1") }, to(A, "a.example.com"));
      await keep(event("room_started"), joined, event("track_published", { participant: { sid: "PA_lost" } }));
      const { duplicate, call } = await under.storage.remembered(joined.event, NOW);
      expect(duplicate).toBe(true);
      expect(call?.memory.hooks).toEqual([A]);
      expect(call?.all).toHaveLength(3);
      expect(call?.held).toHaveLength(1);
      const { event: nameless } = event("egress_ended", { room: { name: "sip-1" } });
      expect((await under.storage.remembered(nameless, NOW)).call?.memory.roomSid).toBe(roomSid("RM_1"));
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
    await under.storage.rememberHooks([late]);
    expect(await list({ viewer: { authId: "tenant-l" } })).toHaveLength(1);
    expect(await under.storage.call(roomSid("RM_1"), { authId: "tenant-l" })).toBeDefined();
  });

  test("a hook that is added is remembered with it", async () => {
    const host = pattern("new.example.com");
    const after = { host, url: "https://x.example/", authId: "tenant-n" };
    await under.storage.changeHooks({ who: "ops", at: NOW }, [host], () => [{ host, after }]);
    await keep(
      event("participant_joined", { participant: sip("PA_1") }, to(hookId(host, "tenant-n"), "new.example.com")),
    );
    expect(await list({ viewer: { authId: "tenant-n" } })).toHaveLength(1);
  });
}
