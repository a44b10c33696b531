import type { TransactionSQL } from "bun";
import type { Claim, ClaimOptions, PendingDelivery } from "../../../src/contracts/storage";
import { eventId, hookIdFrom, roomSid, type HookId } from "../../../src/domain/ids";
import type { Database } from "./database";
import type { Heads, Job } from "./heads";
import type { Lease, Leases } from "./leases";
import { JOBS_SCHEMA } from "./migrations";

export type DeliveryQueueOptions = {
  readonly database: Database;
  readonly heads: Heads;
  readonly leases: Leases;
};

/** Changed in one transaction: each is a statement of pg-boss, of 0.15 ms. */
const LANES_AT_A_TIME = 200;

type Leased = { readonly lease: Lease; readonly due: number; readonly delivery: PendingDelivery };

/** Handing out lanes, and moving their times. */
export class DeliveryQueue {
  readonly #database: Database;
  readonly #heads: Heads;
  readonly #leases: Leases;

  constructor({ database, heads, leases }: DeliveryQueueOptions) {
    this.#database = database;
    this.#heads = heads;
    this.#leases = leases;
  }

  async waitingHooks(): Promise<HookId[]> {
    const rows = await this.#database.rows<{ hook: string }>(hooksWithLanes("true"));
    return rows.map(({ hook }) => hookIdFrom(hook));
  }

  /** Hooks that have something due at `now` which may be fetched, or is leased. */
  async dueHooks(now: number): Promise<HookId[]> {
    const rows = await this.#database.rows<{ hook: string }>(hooksWithLanes("due <= $1"), [now]);
    return rows.map(({ hook }) => hookIdFrom(hook));
  }

  /**
   * Leases heads and hands them out. What this instance has leased before and is not in `busy` was handed out and not sent:
   * it is handed out again. With `now` = Infinity heads are fetched whatever their time is, the earliest due first.
   */
  async claim(hook: HookId, { now, limit, busy }: ClaimOptions): Promise<Claim> {
    const dropped = this.#leases.of(hook).filter(({ lane }) => !busy.has(lane));
    // What somebody does not want though it is not leased to us is fetched all the same, and given back.
    const avoided = [...busy].filter((lane) => this.#leases.get(lane) === undefined).length;
    const fetched = await this.#fetch(hook, now, limit + avoided);
    // At the same time: most of the time nothing is given back, and the look is the last word.
    const [leased, nextDue] = await Promise.all([
      this.#read(hook, [...dropped.map(({ job }) => job), ...fetched]),
      this.#nextDue(hook),
    ]);
    const ready: Leased[] = [];
    const unwanted: Lease[] = [];
    for (const candidate of leased) {
      const { lease, due } = candidate;
      const held = this.#leases.get(lease.lane);
      // Its lease had ended while it was being sent here, and now it is leased to us again: the attempt goes on.
      if (busy.has(lease.lane) && held !== undefined) this.#leases.add(lease);
      else if (busy.has(lease.lane) || due > now) unwanted.push(lease);
      else ready.push(candidate);
    }
    ready.sort((a, b) => a.due - b.due || a.lease.lane - b.lease.lane);
    const handedOut = ready.slice(0, limit);
    unwanted.push(...ready.slice(limit).map(({ lease }) => lease));
    for (const { lease } of handedOut) this.#leases.add(lease);
    const deliveries = handedOut.map(({ delivery }) => delivery);
    if (unwanted.length === 0) return { deliveries, nextDue };
    await this.#giveBack(hook, unwanted);
    return { deliveries, nextDue: await this.#nextDue(hook) };
  }

  /** Makes every lane of the hook due that waits for longer; each step is a transaction of its own. */
  async makeDue(hook: HookId, at: number, now: number): Promise<number> {
    for (let made = 0; ;) {
      const changed = await this.#database.transaction((tx) => this.#makeSomeDue(tx, hook, at, now));
      made += changed;
      if (changed < LANES_AT_A_TIME) return made;
    }
  }

  /** See `Storage.limitWaits`; each step is a transaction of its own. */
  async limitWaits(hook: HookId, now: number): Promise<void> {
    for (let changed = LANES_AT_A_TIME; changed === LANES_AT_A_TIME;) {
      changed = await this.#database.transaction((tx) => this.#limitSomeWaits(tx, hook, now));
    }
  }

  /** Keeps what this instance has leased. */
  async renewLeases(): Promise<void> {
    const { sql } = this.#database;
    await Promise.all(
      [...this.#leases.byHook()].map(([hook, leases]) => {
        return this.#heads.renew(
          sql,
          hook,
          leases.map(({ job }) => job),
        );
      }),
    );
  }

  /** Gives back what this instance has leased, so that another one, or its next run, takes it at once. */
  async giveAllBack(): Promise<void> {
    await Promise.all([...this.#leases.byHook()].map(([hook, leases]) => this.#giveBack(hook, leases)));
  }

  async #fetch(hook: HookId, now: number, limit: number): Promise<readonly Job[]> {
    return this.#database.within(CLAIM_MS, (sql) => this.#heads.fetch(sql, hook, now, limit));
  }

  /**
   * What the jobs stand for: of those that are still leased to us, and a lane's head. A job that is no lane's head any more is
   * put away.
   */
  async #read(hook: HookId, jobs: readonly Job[]): Promise<Leased[]> {
    if (jobs.length === 0) return [];
    const ids = this.#database.sql.array(
      jobs.map(({ id }) => id),
      "UUID",
    );
    const rows = await this.#database.rows<HeadRow>(HEADS, [ids]);
    const byJob = new Map(rows.map((row) => [row.job, row]));
    const orphans = jobs.flatMap(({ id }) => (byJob.has(id) ? [] : [id]));
    if (orphans.length > 0) await this.#database.transaction((tx) => this.#heads.cancel(tx, hook, orphans));
    const leased = jobs.flatMap((job): Leased[] => {
      const row = byJob.get(job.id);
      if (row?.attempt !== job.retryCount) return [];
      return [{ lease: { hook, lane: Number(row.lane), job }, due: Number(row.due), delivery: toPendingDelivery(row) }];
    });
    const lanes = new Set(leased.map(({ lease }) => lease.lane));
    const lost = this.#leases.of(hook).filter(({ lane, job }) => !lanes.has(lane) && jobs.includes(job));
    for (const lease of lost) this.#leases.drop(lease);
    return leased;
  }

  async #giveBack(hook: HookId, leases: readonly Lease[]): Promise<void> {
    for (const lease of leases) this.#leases.drop(lease);
    await this.#heads.giveBack(
      this.#database.sql,
      hook,
      leases.map(({ job }) => job),
    );
  }

  /** When the next head becomes due that nobody has leased. */
  async #nextDue(hook: HookId): Promise<number | undefined> {
    const [next] = await this.#database.rows<{ due: string }>(
      `select l.due from lanes l where l.hook = $1 and l.due is not null and exists
         (select 1 from ${JOBS_SCHEMA}.job j where j.name = $1 and j.id = l.job and j.state < 'active')
       order by l.due limit 1`,
      [hook],
    );
    return next === undefined ? undefined : Number(next.due);
  }

  async #makeSomeDue(tx: TransactionSQL, hook: HookId, at: number, now: number): Promise<number> {
    const lanes = (await tx.unsafe(
      `update lanes set due = $1 where id in
         (select id from lanes where hook = $2 and due > $1 order by id limit ${LANES_AT_A_TIME} for no key update)
       returning job`,
      [at, hook],
    )) as { job: string }[];
    await this.#heads.reschedule(
      tx,
      hook,
      lanes.map(({ job }) => job),
      at,
      at - now,
    );
    return lanes.length;
  }

  async #limitSomeWaits(tx: TransactionSQL, hook: HookId, now: number): Promise<number> {
    const lanes = (await tx.unsafe(
      `update lanes set due = $1 + coalesce(wait, 0) where id in
         (select id from lanes where hook = $2 and due > $1 and due > $1 + coalesce(wait, 0)
          order by id limit ${LANES_AT_A_TIME} for no key update)
       returning job, due`,
      [now, hook],
    )) as { job: string; due: string }[];
    const byDue = Map.groupBy(lanes, ({ due }) => Number(due));
    for (const [due, some] of byDue) {
      const jobs = some.map(({ job }) => job);
      await this.#heads.reschedule(tx, hook, jobs, due, due - now);
    }
    return lanes.length;
  }
}

/** A claim that has not come back by then is asked again; what it leased comes back by itself. */
const CLAIM_MS = 10_000;

/** One look per hook into the index, whatever waits for each. */
function hooksWithLanes(which: string): string {
  return `with recursive hooks as (
      (select hook from lanes where due is not null order by hook limit 1)
      union all
      select (select l.hook from lanes l where l.hook > h.hook and l.due is not null order by l.hook limit 1)
      from hooks h where h.hook is not null
    )
    select hook from hooks h where hook is not null and exists
      (select 1 from lanes l where l.hook = h.hook and l.due is not null and ${which.replace("due", "l.due")})`;
}

const HEADS =
  "select l.job, j.retry_count as attempt, l.id as lane, l.due, d.id, l.hook, c.room_sid, e.id as event_id, e.name, e.content_type, e.body, " +
  // The age of what was asked for again counts from then.
  "case d.replay when 1 then d.made_at else e.received_at end as received_at, " +
  "d.attempts, d.failures, d.refusals, d.replay from lanes l join deliveries d on d.id = l.head " +
  "join events e on e.seq = d.event join calls c on c.id = l.call " +
  `left join ${JOBS_SCHEMA}.job j on j.name = l.hook and j.id = l.job and j.state = 'active' where l.job = any($1::uuid[])`;

type HeadRow = {
  readonly job: string;
  /** Of who has it now; null when nobody has. */
  readonly attempt: number | null;
  readonly lane: string;
  readonly due: string;
  readonly id: string;
  readonly hook: string;
  readonly room_sid: string;
  readonly event_id: string;
  readonly name: string;
  readonly content_type: string;
  readonly body: Uint8Array;
  readonly received_at: string;
  readonly attempts: number;
  readonly failures: number;
  readonly refusals: number;
  readonly replay: number;
};

function toPendingDelivery(row: HeadRow): PendingDelivery {
  return {
    id: Number(row.id),
    lane: Number(row.lane),
    hook: hookIdFrom(row.hook),
    roomSid: roomSid(row.room_sid),
    eventId: eventId(row.event_id),
    eventName: row.name,
    contentType: row.content_type,
    body: row.body,
    receivedAt: Number(row.received_at),
    attempts: row.attempts,
    failures: row.failures,
    refusals: row.refusals,
    replay: row.replay === 1,
  };
}
