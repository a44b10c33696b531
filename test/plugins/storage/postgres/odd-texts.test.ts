import { afterEach, beforeEach, expect, test } from "bun:test";
import { assert, property, string } from "fast-check";
import { storableText } from "../../../../plugins/storage/postgres/storable-text";
import type { Storage } from "../../../../src/contracts/storage";
import { A, event, NOW, sip, to } from "../../../../src/contracts/testing/sample-events";
import { roomSid } from "../../../../src/domain/ids";
import { openStorages, settled, type Storages } from "../../../support/storages";

let storages: Storages;
let storage: Storage;

beforeEach(async () => {
  storages = await openStorages(1);
  [storage] = storages.all as [Storage];
});

afterEach(() => storages.remove());

test.each<[string, string]>([
  ["U+0000", "a\0b"],
  ["half a character", "a\ud800b"],
  ["1,000 letters", "x".repeat(1_000)],
  ["500 letters of four bytes", "𝒳".repeat(500)],
  ["what is a command elsewhere", "'; drop table events; --"],
  ["a backslash and quotes", '\\x00 "\\u0000" {,}'],
])("a call whose names are %s is kept, found again and delivered", async (_, odd) => {
  const room = { sid: `RM_${odd}`, name: `sip-${odd}` };
  const caller = { ...sip(`PA_${odd}`, odd, odd), identity: odd };
  await storage.commit([event("room_started", { room })], () => "ordered");
  await storage.commit([event("participant_joined", { room, participant: caller }, to(A, "a.example.com"))], () => {
    return "ordered";
  });
  await storage.commit([event(odd, { room, participant: { sid: `PA_${odd}` } })], () => "ordered");
  await storage.commit([event("egress_ended", { room: { name: room.name } })], () => "ordered");
  const bodies: string[] = [];
  for (let i = 0; i < 4; i++) {
    const [delivery] = (await storage.claim(A, { now: NOW, limit: 10, busy: new Set() })).deliveries;
    if (delivery === undefined) throw new Error(`nothing came after ${i}`);
    bodies.push((JSON.parse(new TextDecoder().decode(delivery.body)) as { event: string }).event);
    const attempt = { startedAt: NOW, durationMs: 1, status: undefined, error: odd, answerStart: Buffer.from(odd) };
    await storage.settle([{ ...settled(delivery, { kind: "delivered" }, NOW), attempt }]);
  }
  expect(bodies).toEqual(["room_started", "participant_joined", odd, "egress_ended"]);
  const call = await storage.call(roomSid(storableText(room.sid)), "operator");
  expect(call?.participants).toHaveLength(1);
  const { entries } = await storage.calls({ viewer: "operator", caller: odd }, { limit: 10 });
  expect(entries.map(({ roomSid: sid }) => String(sid))).toEqual([storableText(room.sid)]);
});

test("two texts that differ are stored as two, and none is too long for an index", () => {
  assert(
    property(string({ unit: "binary", maxLength: 2_000 }), string({ unit: "binary" }), (a, b) => {
      const [one, other] = [storableText(a), storableText(a + b)];
      expect(Buffer.byteLength(one)).toBeLessThan(2_000);
      expect(one.isWellFormed()).toBe(true);
      expect(one).not.toContain("\0");
      if (b !== "" && !/[\0\ud800-\udfff]/.test(a + b)) expect(one).not.toBe(other);
    }),
  );
});
