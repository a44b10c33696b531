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

/** A data directory in which so many deliveries to this hook wait, all due. A million takes some minutes, and 1.5 GB. */
export async function makeBacklog({ host, authId }: Hook, deliveries: number): Promise<string> {
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
      receivedAt: Date.now(),
      match: speaks ? { kind: "hook", hook, matcher: "exact-host", host: undefined } : undefined,
    };
  }

  const calls = deliveries / EVENTS_PER_CALL;
  for (let n = 0; n < calls; n += CALLS_PER_COMMIT) {
    const names = Array.from({ length: Math.min(CALLS_PER_COMMIT, calls - n) }, (_, i) => `backlog${n + i}`);
    const events = names.flatMap((name) => eventsOfCall(name, host).map(({ body }) => incoming(body)));
    await storage.commit(events, () => "ordered");
  }
  await storage.close();
  return dataDir;
}
