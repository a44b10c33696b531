/**
 * The process that `testCrashes` kills. It opens the storage, keeps and settles as fast as it can, and writes a line about
 * each promise that was fulfilled, before anything else happens.
 *
 * Arguments: the module whose default export opens the storage, and what that is given.
 */
import { writeSync } from "node:fs";
import type { Storage } from "../storage";
import { HOOK, numberedEvent } from "./numbered-events";

const NOW = Date.parse("2026-11-21T22:50:00Z");
const CALLS_AT_A_TIME = 4;
const BATCHES = 5;

const [module = "", place = ""] = process.argv.slice(2);
const { default: open } = (await import(module)) as { default: (place: string) => Promise<Storage> };
const storage = await open(place);
const say = (word: string, id: string) => writeSync(1, `${word} ${id}\n`);

/** Batches of two, so that half a batch would be noticed. */
async function keepCall(call: number): Promise<void> {
  for (let batch = 0; batch < BATCHES; batch++) {
    const events = [numberedEvent(call, batch * 2), numberedEvent(call, batch * 2 + 1)];
    await storage.commit(events, () => "ordered");
    for (const { event } of events) say("kept", event.id);
  }
}

async function send(): Promise<void> {
  for (;;) {
    const { deliveries } = await storage.claim(HOOK, { now: NOW, limit: 3, busy: new Set() });
    // Before the promise: killed between its being kept and its being told, it may be kept or not.
    for (const { eventId } of deliveries) say("settling", eventId);
    const attempt = { startedAt: NOW, durationMs: 1, status: 200, error: undefined, answerStart: undefined };
    await storage.settle(
      deliveries.map((delivery) => ({ delivery, at: NOW, attempt, outcome: { kind: "delivered" } })),
    );
    for (const { eventId } of deliveries) say("settled", eventId);
    // Slower than it keeps, so that something is left.
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

void send();
for (let call = 0; ; call += CALLS_AT_A_TIME) {
  await Promise.all(Array.from({ length: CALLS_AT_A_TIME }, (_, i) => keepCall(call + i)));
}
