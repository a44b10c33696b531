/**
 * What retention costs the acknowledgements: removes 100,000 events as the service does, while events are kept one after the
 * other beside it, and says how long the longest step and the longest commit took. `bun bench/retention.ts [events]`
 */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRetention } from "../plugins/retention";
import { createSqliteStorage, DATABASE_FILE } from "../plugins/storage/sqlite";
import { systemClock } from "../src/contracts/clock";
import type { IncomingEvent } from "../src/contracts/storage";
import type { RetentionLimits } from "../src/contracts/upkeep";
import { hookIdFrom, type HookId } from "../src/domain/ids";
import { readLiveKitEvent } from "../src/domain/livekit-event";

const EVENTS = Number(process.argv[2] ?? 100_000);
const EVENTS_PER_CALL = 10;
const BODY_BYTES = 922;
const HOOK = hookIdFrom("hook-a");
const DAY = 86_400_000;
const OLD = Date.now() - 8 * DAY;

const dataDir = await mkdtemp(join(tmpdir(), "sayna-sip-bench-"));
const lines: string[] = [];
const log = {
  debug: () => {},
  info: (fields: object, message: string) => lines.push(`${message} ${JSON.stringify(fields)}`),
  warn: (fields: object, message: string) => lines.push(`${message} ${JSON.stringify(fields)}`),
  error: (fields: object, message: string) => lines.push(`${message} ${JSON.stringify(fields)}`),
};
const storage = createSqliteStorage({ dataDir, clock: systemClock, log });
const bytes = async () => (await stat(join(dataDir, DATABASE_FILE))).size;
const say = (line: string) => process.stdout.write(`${line}\n`);
const ms = (value: number) => value.toFixed(1);

let last = 0;
function incoming(call: string, receivedAt: number): IncomingEvent {
  const id = `EV_${++last}`;
  const json = {
    event: "participant_joined",
    id,
    room: { sid: `RM_${call}`, name: `sip-${call}` },
    participant: { sid: `PA_${call}`, kind: "SIP", attributes: { "sip.callID": "SCL_1" } },
  };
  const body = new Uint8Array(BODY_BYTES).fill(0x20);
  const match = { kind: "hook", hook: HOOK, matcher: "exact-host", host: undefined } as const;
  return { event: readLiveKitEvent(json, body), contentType: "application/webhook+json", body, receivedAt, match };
}

async function deliverAll(hook: HookId, at: number): Promise<void> {
  for (;;) {
    const { deliveries } = await storage.claim(hook, { now: Infinity, limit: 200, busy: new Set() });
    if (deliveries.length === 0) return;
    await storage.settle(
      deliveries.map((delivery) => {
        const attempt = { startedAt: at, durationMs: 5, status: 200, error: undefined, answerStart: undefined };
        return { delivery, at, attempt, outcome: { kind: "delivered" as const } };
      }),
    );
  }
}

const CALLS_PER_COMMIT = 100;
for (let n = 0; n < EVENTS; n += CALLS_PER_COMMIT * EVENTS_PER_CALL) {
  const calls = Array.from({ length: CALLS_PER_COMMIT }, (_, call) => `${n}_${call}`);
  const events = calls.flatMap((call) => Array.from({ length: EVENTS_PER_CALL }, () => incoming(call, OLD)));
  await storage.commit(events, () => "ordered");
}
await deliverAll(HOOK, OLD);
const before = await bytes();

const steps: number[] = [];
const commits: number[] = [];
const limits: RetentionLimits = { delivered: 7 * DAY, dead: 30 * DAY, unmatched: 30 * DAY, maxSize: Infinity };
let swept = () => {};
const allSwept = new Promise<void>((resolve) => {
  swept = resolve;
});
const measured = {
  room: (given: RetentionLimits) => storage.room(given),
  async sweep(given: RetentionLimits, now: number) {
    const started = performance.now();
    began = Math.min(began, started);
    const result = await storage.sweep(given, now);
    // The last one makes the ballast, outside the thread.
    if (result.more) steps.push(performance.now() - started);
    else swept();
    return result;
  },
};
const retention = createRetention({ storage: measured, limits: () => limits, clock: systemClock, log });
let began = Infinity;
let running = true;
const keeping = (async () => {
  for (let call = 0; ; call++) {
    if (!running) return;
    const started = performance.now();
    await storage.commit([incoming(`new_${call}`, Date.now())], () => "ordered");
    commits.push(performance.now() - started);
    await Bun.sleep(2);
  }
})();
retention.start();
await allSwept;
running = false;
retention.stop();
await keeping;
const took = performance.now() - began;

const at = (values: number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0;
say(`${EVENTS} events removed in ${ms(took / 1000)} s, in ${steps.length} steps, beside ${commits.length} commits`);
say(`step:   p50 ${ms(at(steps, 0.5))} ms, p99 ${ms(at(steps, 0.99))} ms, longest ${ms(at(steps, 1))} ms`);
say(`commit: p50 ${ms(at(commits, 0.5))} ms, p99 ${ms(at(commits, 0.99))} ms, longest ${ms(at(commits, 1))} ms`);
say(`file:   ${Math.round(before / 1e6)} MB before, ${Math.round((await bytes()) / 1e6)} MB after`);
for (const line of lines) say(line);
await storage.close();
await rm(dataDir, { recursive: true });
