import { SQL } from "bun";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createPostgresStorage } from "../../../../plugins/storage/postgres";
import { readHeldBytes } from "../../../../plugins/storage/postgres/held-bytes";
import { callLock, lockAll } from "../../../../plugins/storage/postgres/locks";
import { SCHEMA } from "../../../../plugins/storage/postgres/migrations";
import { SweepLock } from "../../../../plugins/storage/postgres/sweep-lock";
import type { Storage } from "../../../../src/contracts/storage";
import type { RetentionLimits } from "../../../../src/contracts/upkeep";
import { hookIdFrom } from "../../../../src/domain/ids";
import { ManualClock } from "../../../support/manual-clock";
import { emptyDatabase } from "../../../support/postgres";
import { silentLog } from "../../../support/silent-log";
import { caller, incoming, matchOf, webhookJson } from "../../../support/webhooks";
import { sweepAll } from "../../../support/sweep-all";

const DAY = 24 * 60 * 60_000;
const LIMITS: RetentionLimits = { delivered: 7 * DAY, dead: 30 * DAY, unmatched: 30 * DAY, maxSize: Infinity };
const HOOK = hookIdFrom("hook-a");

let url: string;
let remove: () => Promise<void>;
let clock: ManualClock;
let one: Storage;
let other: Storage;
let sql: SQL;

beforeEach(async () => {
  ({ url, remove } = await emptyDatabase());
  clock = new ManualClock();
  one = await createPostgresStorage({ url, clock, log: silentLog });
  other = await createPostgresStorage({ url, clock, log: silentLog });
  sql = new SQL({ url, max: 3, connection: { search_path: SCHEMA } });
});

afterEach(async () => {
  await sql.close();
  await one.close();
  await other.close();
  await remove();
});

function joined(sid: string) {
  const room = { sid, name: `sip-${sid}` };
  const json = webhookJson("participant_joined", { room, participant: caller(`PA_${sid}`, "a.example.com") });
  return incoming(json, matchOf(HOOK), clock.now());
}

/** Calls of one event each, which has been delivered. */
async function deliveredCalls(count: number): Promise<void> {
  await one.commit(
    Array.from({ length: count }, (_, i) => joined(`RM_${i}`)),
    () => "ordered",
  );
  for (;;) {
    const { deliveries } = await one.claim(HOOK, { now: Infinity, limit: 100, busy: new Set() });
    if (deliveries.length === 0) return;
    const at = clock.now();
    await one.settle(
      deliveries.map((delivery) => ({ delivery, at, attempt: undefined, outcome: { kind: "delivered" } })),
    );
  }
}

describe("with several instances", () => {
  test("one sweeps at a time, and the next one when it is done", async () => {
    await deliveredCalls(250);
    const later = clock.now() + 8 * DAY;
    expect(await one.sweep(LIMITS, later)).toEqual({ removed: 100, more: true });
    expect(await other.sweep(LIMITS, later)).toEqual({ removed: 0, more: false });
    expect(await sweepAll(one, LIMITS, later)).toBe(150);
    await deliveredCalls(3);
    expect(await sweepAll(other, LIMITS, later)).toBe(3);
  });

  test("one that ends in the middle of a sweep leaves it to the others", async () => {
    await deliveredCalls(250);
    const later = clock.now() + 8 * DAY;
    const gone = await createPostgresStorage({ url, clock, log: silentLog });
    expect(await gone.sweep(LIMITS, later)).toEqual({ removed: 100, more: true });
    await gone.close();
    expect(await sweepAll(other, LIMITS, later)).toBe(150);
  });

  test("so does one whose connection is lost", async () => {
    const lock = new SweepLock(sql);
    const connection = await lock.take();
    if (connection === undefined) throw new Error("the lock was not free");
    expect(await new SweepLock(sql).take()).toBeUndefined();
    const [{ pid } = { pid: 0 }] = await connection<{ pid: number }[]>`select pg_backend_pid() as pid`;
    await sql`select pg_terminate_backend(${pid}, 5000)`;
    await lock.free();
    await deliveredCalls(3);
    expect(await sweepAll(other, LIMITS, clock.now() + 8 * DAY)).toBe(3);
  });
});

test("a call that somebody adds to is left alone until the next sweep, and waits for nobody", async () => {
  await deliveredCalls(3);
  const later = clock.now() + 8 * DAY;
  await sql.begin(async (tx) => {
    await lockAll(tx, [callLock("RM_1")]);
    expect(await sweepAll(other, LIMITS, later)).toBe(2);
  });
  expect(await sweepAll(other, LIMITS, later)).toBe(1);
});

test("what is asked for again while it is being removed is removed, or goes out: never half of it", async () => {
  await deliveredCalls(300);
  const later = clock.now() + 8 * DAY;
  const [removed, replayed] = await Promise.all([
    sweepAll(one, LIMITS, later),
    other.replay(
      { kind: "filter", filter: { viewer: "operator", states: ["delivered"] }, limit: 1000 },
      { plan: () => "ordered", at: later, dryRun: false },
    ),
  ]);
  const left = await sql<{ events: number }[]>`select count(*)::integer as events from events`;
  expect(removed + (left[0]?.events ?? 0)).toBe(300);
  expect(left[0]?.events).toBe(replayed.queued);
  const { deliveries } = await other.claim(HOOK, { now: Infinity, limit: 1000, busy: new Set() });
  expect(deliveries).toHaveLength(replayed.queued);
});

test("what is held is told from a sample of a large table", async () => {
  await sql`insert into calls (room_sid, room_name, first_at, last_at) values ('RM_1', 'sip-1', 1, 1)`;
  const insert = (count: number) => sql`insert into events
      (id, call, room_name, name, subject, received_at, kept_at, state, content_type, body)
    select gen_random_uuid(), (select id from calls), 'sip-1', 'track_published', 'room', 1, 1, 0, 'text/plain',
      convert_to(repeat('x', 1000), 'UTF8') from generate_series(1, ${count})`;
  await insert(1000);
  const exactly = await readHeldBytes(sql);
  await insert(39_000);
  // 6,000 blocks, of which 1,000 are looked at: five standard errors.
  const estimate = await readHeldBytes(sql);
  expect(Math.abs(estimate / (40 * exactly) - 1)).toBeLessThan(0.15);
  await sql`delete from events where seq % 2 = 0`;
  expect(Math.abs((await readHeldBytes(sql)) / (20 * exactly) - 1)).toBeLessThan(0.15);
});
