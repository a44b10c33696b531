import { SQL } from "bun";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { Database } from "../../../../plugins/storage/postgres/database";
import { Heads } from "../../../../plugins/storage/postgres/heads";
import { systemClock } from "../../../../src/contracts/clock";
import type { Storage } from "../../../../src/contracts/storage";
import { A, B, event, NOW, sip, to } from "../../../../src/contracts/testing/sample-events";
import type { HookId } from "../../../../src/domain/ids";
import { ManualClock } from "../../../support/manual-clock";
import { silentLog } from "../../../support/silent-log";
import { openStorages, settled, type Storages } from "../../../support/storages";

const REPAIR_MS = 5 * 60_000;

let clock: ManualClock;
let storages: Storages;
let one: Storage;
let two: Storage;
let sql: SQL;

beforeEach(async () => {
  clock = new ManualClock();
  storages = await openStorages(1, clock);
  [one] = storages.all as [Storage];
  // Whose own rounds do not come.
  two = await storages.open(new ManualClock());
  sql = new SQL({ url: storages.url, max: 1, connection: { search_path: "sayna_sip" } });
});

afterEach(async () => {
  await sql.close();
  await storages.remove();
});

let calls = 0;

async function commit(storage: Storage, hook: HookId, host: string) {
  const room = { sid: `RM_q${++calls}`, name: "sip-q" };
  await storage.commit(
    [event("participant_joined", { room, participant: sip(`PA_${calls}`) }, to(hook, host))],
    () => "ordered",
  );
}

async function sendAll(storage: Storage, hook: HookId): Promise<number> {
  const { deliveries } = await storage.claim(hook, { now: NOW, limit: 10, busy: new Set() });
  await storage.settle(deliveries.map((delivery) => settled(delivery, { kind: "delivered" }, NOW)));
  return deliveries.length;
}

async function queues(): Promise<string[]> {
  const rows = (await sql`select name from sayna_sip_jobs.queue where starts_with(name, 'hk_')`) as { name: string }[];
  return rows.map(({ name }) => name).toSorted();
}

/** The queues have been there for long, and retention has removed what went through them. */
async function later(): Promise<void> {
  await sql`update sayna_sip_jobs.queue set created_on = now() - interval '1 day'`;
  await sql`delete from lanes where head is null and not exists (select 1 from deliveries d where d.lane = lanes.id)`;
}

async function removeDeliveries(): Promise<void> {
  await sql`delete from deliveries where state <> 0`;
}

async function ownHeads() {
  const database = new Database({ url: storages.url, clock: systemClock, log: silentLog, connections: 3 });
  const heads = await Heads.start(database.jobClient(), silentLog);
  const stop = async () => {
    await heads.stop();
    await database.close();
  };
  return { heads, database, stop };
}

/** Waits, in the server's time, until the next round of `one` has removed what it removes. */
async function nextRound(until: (names: string[]) => boolean): Promise<void> {
  await clock.turn(REPAIR_MS);
  for (let i = 0; i < 100 && !until(await queues()); i++) await Bun.sleep(20);
}

test("a hook's queue is removed when nothing of the hook is held any more, and its jobs before", async () => {
  await commit(one, A, "a.example.com");
  await commit(one, A, "a.example.com");
  await commit(one, B, "b.example.com");
  await one.cancelHook(A);
  expect([...(await sql`select name from sayna_sip_jobs.job`)]).toEqual([{ name: B }]);
  await removeDeliveries();
  await later();
  await nextRound((names) => !names.includes(A));
  expect(await queues()).toEqual([B]);
});

test("a queue stays while something waits, while its history is kept, and while it is new", async () => {
  await commit(one, A, "a.example.com");
  await commit(one, B, "b.example.com");
  expect(await sendAll(one, B)).toBe(1);
  await later();
  const { heads, stop } = await ownHeads();
  expect(await heads.removeUnused(sql, 10)).toBe(0);
  await removeDeliveries();
  await later();
  await sql`update sayna_sip_jobs.queue set created_on = now() where name = ${B}`;
  expect(await heads.removeUnused(sql, 10)).toBe(0);
  expect(await queues()).toEqual([A, B].toSorted());
  await stop();
});

test("an instance that does not know of it sends the hook's next call all the same", async () => {
  await commit(two, A, "a.example.com");
  expect(await sendAll(two, A)).toBe(1);
  await removeDeliveries();
  await later();
  await nextRound((names) => names.length === 0);
  expect(await queues()).toEqual([]);
  expect(await sendAll(two, A)).toBe(0);
  await commit(two, A, "a.example.com");
  await commit(two, A, "a.example.com");
  expect(await sendAll(one, A)).toBe(2);
  expect(await queues()).toEqual([A]);
});

test("a queue that is removed while a call's first event is being kept is made again with it", async () => {
  await commit(two, A, "a.example.com");
  expect(await sendAll(two, A)).toBe(1);
  await removeDeliveries();
  await later();
  const { heads, database, stop } = await ownHeads();
  let runs = 0;
  await database.transaction(async (tx) => {
    const head = { job: Bun.randomUUIDv7(), hook: A, lane: 1, due: NOW };
    await heads.send(tx, [head]);
    // Between the job and the end of its transaction.
    if (++runs === 1) expect(await heads.removeUnused(sql, 10)).toBe(1);
  });
  expect(runs).toBe(2);
  expect([...(await sql`select name from sayna_sip_jobs.job`)]).toEqual([{ name: A }]);
  expect(await queues()).toEqual([A]);
  await stop();
});
