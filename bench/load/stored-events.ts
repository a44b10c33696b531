import { createSqliteStorage } from "../../plugins/storage/sqlite";
import { systemClock } from "../../src/contracts/clock";
import type { IncomingEvent } from "../../src/contracts/storage";
import { hookId } from "../../src/domain/hook";
import { parseHostPattern } from "../../src/domain/host-pattern";
import { isJsonObject } from "../../src/domain/json";
import { readLiveKitEvent } from "../../src/domain/livekit-event";
import { silentLogger } from "../support/silent-logger";
import { eventsOfCall, EVENTS_PER_CALL } from "./calls";
import { makeDataDir, type Hook } from "./target";

const CALLS_PER_COMMIT = 20;
const DELIVERIES_PER_COMMIT = 200;

export type StoredEvents = {
  readonly hook: Hook;
  readonly events: number;
  /** When they came, and were delivered, ms since the epoch; without it they came now and wait, all due. */
  readonly deliveredAt?: number;
};

/** A data directory with these events, each for this hook. A million takes some minutes, and 1.5 GB. */
export async function storeEvents({ hook: { host, authId }, events, deliveredAt }: StoredEvents): Promise<string> {
  const pattern = parseHostPattern(host);
  if (pattern === undefined) throw new Error(`${host} is no host`);
  const hook = hookId(pattern, authId);
  const dataDir = await makeDataDir();
  const storage = createSqliteStorage({ dataDir, clock: systemClock, log: silentLogger });
  await storage.rememberHooks([{ id: hook, host: pattern, ...(authId === undefined ? {} : { authId }) }]);

  function incoming(body: string): IncomingEvent {
    const bytes = Buffer.from(body);
    const json: unknown = JSON.parse(body);
    if (!isJsonObject(json)) throw new Error("a recorded webhook is no object");
    const event = readLiveKitEvent(json, bytes);
    const { subject } = event;
    const speaks = subject.kind === "participant" && subject.sip === true && subject.attributes !== undefined;
    return {
      event,
      contentType: "application/webhook+json",
      body: bytes,
      receivedAt: deliveredAt ?? Date.now(),
      match: speaks ? { kind: "hook", hook, matcher: "exact-host", host: undefined } : undefined,
    };
  }

  async function deliverAll(at: number): Promise<void> {
    for (;;) {
      const { deliveries } = await storage.claim(hook, {
        now: Infinity,
        limit: DELIVERIES_PER_COMMIT,
        busy: new Set(),
      });
      if (deliveries.length === 0) return;
      const attempt = { startedAt: at, durationMs: 5, status: 200, error: undefined, answerStart: undefined };
      await storage.settle(
        deliveries.map((delivery) => ({ delivery, at, attempt, outcome: { kind: "delivered" as const } })),
      );
    }
  }

  const calls = events / EVENTS_PER_CALL;
  for (let n = 0; n < calls; n += CALLS_PER_COMMIT) {
    const names = Array.from({ length: Math.min(CALLS_PER_COMMIT, calls - n) }, (_, i) => `stored${n + i}`);
    const ofCalls = names.flatMap((name) => eventsOfCall(name, host).map(({ body }) => incoming(body)));
    await storage.commit(ofCalls, () => "ordered");
  }
  if (deliveredAt !== undefined) await deliverAll(deliveredAt);
  await storage.close();
  return dataDir;
}
