/**
 * What the history's pages, the look at what is held and retention cost on a large database: 100,000 calls of five events,
 * unless another number is given. `bun bench/postgres/large.ts [calls]`
 */
import { SQL } from "bun";
import { createPostgresStorage } from "../../plugins/storage/postgres";
import { readHeldBytes } from "../../plugins/storage/postgres/held-bytes";
import { systemClock } from "../../src/contracts/clock";
import type { RetentionLimits } from "../../src/contracts/upkeep";
import { roomSid } from "../../src/domain/ids";
import { silentLog } from "../../test/support/silent-log";
import { startDurableServer } from "./durable-server";
import { fillStatements } from "./fill-statements";

const calls = Number(process.argv[2] ?? 100_000);
const DAY = 86_400_000;
const server = await startDurableServer();
const storage = await createPostgresStorage({ url: server.url, clock: systemClock, log: silentLog });
const sql = new SQL({ url: server.url, max: 3, connection: { search_path: "sayna_sip" } });
const say = (line: string) => process.stdout.write(`${line}\n`);

const now = Date.now();
await sql.unsafe(fillStatements({ calls, from: now - 20 * DAY, everyMs: (20 * DAY) / calls }));
await sql.unsafe("vacuum analyze");
const sizes = await sql<
  { name: string; rows: number; bytes: number }[]
>`select relname as name, reltuples::float8 as rows,
    pg_total_relation_size(oid)::float8 as bytes from pg_class
  where relkind = 'r' and relnamespace = 'sayna_sip'::regnamespace and reltuples > 0 order by bytes desc`;
for (const { name, rows, bytes } of sizes) say(`${name}: ${rows} rows, ${Math.round(bytes / rows)} B each`);

const tenant = { authId: "tenant-7" };
const page = { limit: 50 };
await time("deliveries", () => storage.deliveries({ viewer: "operator" }, page));
await time("deliveries of a tenant", () => storage.deliveries({ viewer: tenant }, page));
await time("dead ones of a tenant", () => storage.deliveries({ viewer: tenant, states: ["dead"] }, page));
await time("of an event's name", () => storage.deliveries({ viewer: tenant, eventName: "room_started" }, page));
await time("of no such event (1,000 rows are looked at)", () =>
  storage.deliveries({ viewer: "operator", eventName: "x" }, page),
);
await time("calls of a tenant", () => storage.calls({ viewer: tenant }, page));
await time("calls by caller", () => storage.calls({ viewer: "operator", caller: "+49305" }, page));
await time("a timeline", () => storage.timeline(roomSid("RM_77"), "operator", page));
await time("what is held", () => readHeldBytes(sql));

const limits: RetentionLimits = { delivered: 10 * DAY, dead: 30 * DAY, unmatched: 30 * DAY, maxSize: Infinity };
const steps: number[] = [];
const began = performance.now();
let removed = 0;
for (let more = true; more && performance.now() - began < 20_000;) {
  const stepped = performance.now();
  const step = await storage.sweep(limits, now);
  steps.push(performance.now() - stepped);
  removed += step.removed;
  ({ more } = step);
}
steps.sort((a, b) => a - b);
say(
  `retention: ${Math.round((removed / (performance.now() - began)) * 1000)} events/s without a pause, ` +
    `a step ${steps[Math.floor(steps.length / 2)]?.toFixed(1)} ms, at most ${steps.at(-1)?.toFixed(1)}`,
);
await sql.close();
await storage.close();
await server.stop();
process.exit(0);

async function time(what: string, run: () => Promise<unknown>): Promise<void> {
  const took: number[] = [];
  for (let i = 0; i < 30; i++) {
    const started = performance.now();
    await run();
    took.push(performance.now() - started);
  }
  took.sort((a, b) => a - b);
  say(`${what}: ${took[15]?.toFixed(1)} ms, at most ${took.at(-1)?.toFixed(1)}`);
}
