import { expect, test } from "bun:test";
import { reportDelivery } from "../../../../plugins/webhook-forwarder/dispatcher/report-delivery";
import type { Outcome, PendingDelivery } from "../../../../src/contracts/storage";
import { hookId, type Hook } from "../../../../src/domain/hook";
import { parseHostPattern } from "../../../../src/domain/host-pattern";
import { eventId, roomSid } from "../../../../src/domain/ids";
import { recordingLog } from "../../../support/recording-log";

const host = parseHostPattern("a.example.com");
if (host === undefined) throw new Error("no host");
const hook: Hook = { id: hookId(host, "tenant-a"), host, url: "https://hooks.example.com/", source: "config" };
const delivery: PendingDelivery = {
  id: 7,
  lane: 1,
  hook: hook.id,
  roomSid: roomSid("RM_1"),
  eventId: eventId("EV_1"),
  eventName: "room_started",
  contentType: "application/webhook+json",
  body: new Uint8Array(),
  receivedAt: 0,
  attempts: 1,
  failures: 1,
  refusals: 0,
  replay: false,
};
const RETRY: Outcome = { kind: "retry", dueAt: 5_000, wait: 1_000, counts: true, refusal: false };

test.each<[string, Outcome, boolean, string, string]>([
  ["arrived", { kind: "delivered" }, false, "info", "Delivered"],
  ["is tried again", RETRY, false, "warn", "Not delivered yet"],
  ["waits behind an open breaker, which was told", RETRY, true, "debug", "Not delivered yet"],
  ["is given up", { kind: "dead", reason: "refused" }, false, "warn", "Not delivered: given up"],
  ["is too old", { kind: "expired" }, false, "warn", "A delivery expired"],
])("what %s has one line, by which its event, call and hook are found", (_, outcome, quiet, level, message) => {
  const log = recordingLog();
  const attempt = { startedAt: 0, durationMs: 12.3, status: 200, error: undefined, answerStart: undefined };
  reportDelivery(log, delivery, hook, { delivery, at: 4_000, attempt, outcome }, quiet);
  const ids = { event: "EV_1", event_name: "room_started", room_sid: "RM_1", hook: hook.id, host: "a.example.com" };
  expect(log.lines).toMatchObject([{ level, message, fields: ids }]);
});
