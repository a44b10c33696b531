import type { SQL, TransactionSQL } from "bun";
import { fromBunSql, PgBoss } from "pg-boss";
import type { Logger } from "../../../src/contracts/logger";
import type { HookId } from "../../../src/domain/ids";
import { JOBS_SCHEMA } from "./migrations";

type JobDatabase = ReturnType<typeof fromBunSql>;

/** A job as it was fetched: with its attempt, which fences whoever had it before. */
export type Job = { readonly id: string; readonly retryCount: number };

/** A lane's head that is to be sent. `due`: ms since the epoch. */
export type NewHead = { readonly job: string; readonly hook: HookId; readonly lane: number; readonly due: number };

/** A lease that is not renewed ends after this: pg-boss's least. */
export const LEASE_SECONDS = 10;
/** And is then taken back by whichever instance supervises next. */
const SUPERVISE_SECONDS = 2;
/** Also a lease that is renewed ends, so that nothing is held for ever. Above every delivery deadline that makes sense. */
const LONGEST_LEASE_SECONDS = 12 * 60 * 60;
/** A job never fails and never ages: attempts are counted, and deliveries expire, in our own tables. */
const NEVER_SECONDS = 50 * 365 * 24 * 60 * 60;
const MANY_TIMES = 2_000_000_000;
/** A queue is made before its first job is there. */
const YOUNG_MINUTES = 60;
/** So that a head that is due earlier has the higher priority, which is a 32-bit number, until the year 2100. */
const PRIORITY_OF_EPOCH = 2_000_000_000;

/**
 * The heads of the lanes as jobs of pg-boss, one queue per hook: a hook that is paused, or whose breaker is open, is not
 * fetched from, and one tenant's lanes never lie in the way of another's. Leases, their expiry and fencing, and fetching by
 * several instances at once are pg-boss's. It never meets a backlog: of each lane it holds one job.
 *
 * - A head that is due earlier has the higher priority: `- due` in whole seconds. A claim asks for the priorities that are
 *   due; `startAfter` is written but not looked at, because `Storage` counts by its callers' clock, not the server's.
 * - Jobs carry nothing: what is to be sent is found by `lanes.job`.
 * - What is done is deleted instead of completed: a completed job would stay until pg-boss's maintenance.
 */
export class Heads {
  readonly #boss: PgBoss;
  readonly #queues: Set<string>;

  private constructor(boss: PgBoss, queues: readonly string[]) {
    this.#boss = boss;
    this.#queues = new Set(queues);
  }

  /** @param client of its own, so that what is done inside a transaction never waits for a connection of those. */
  static async start(client: Parameters<typeof fromBunSql>[0], log: Logger): Promise<Heads> {
    const boss = new PgBoss({
      db: fromBunSql(client),
      schema: JOBS_SCHEMA,
      createSchema: false,
      schedule: false,
      superviseIntervalSeconds: SUPERVISE_SECONDS,
      monitorIntervalSeconds: SUPERVISE_SECONDS,
    });
    // Without a listener an `error` ends the process.
    boss.on("error", (error) => log.warn({ err: error }, "pg-boss reports an error"));
    boss.on("warning", ({ message, data }) => log.warn({ data }, message));
    await boss.start();
    return new Heads(
      boss,
      (await boss.getQueues()).map(({ name }) => name),
    );
  }

  async stop(): Promise<void> {
    await this.#boss.stop({ graceful: false });
  }

  /** Sends heads inside the transaction that makes them heads. */
  async send(tx: TransactionSQL, heads: readonly NewHead[]): Promise<void> {
    const groups = [...Map.groupBy(heads, ({ hook }) => hook)];
    for (const [hook] of groups) await this.#ensureQueue(hook);
    const db = fromBunSql(tx);
    await Promise.all(groups.map(([hook, some]) => this.#sendTo(db, hook, some)));
  }

  /** Leases the heads of this hook that are due at `now`, and more of this second; the earliest due first. */
  async fetch(sql: SQL, hook: HookId, now: number, limit: number): Promise<readonly Job[]> {
    await this.#ensureQueue(hook);
    try {
      return await this.#boss.fetch(hook, {
        db: fromBunSql(sql),
        batchSize: limit,
        ignoreStartAfter: true,
        ...(now === Infinity ? {} : { minPriority: priorityAt(now) }),
      });
    } catch (error) {
      if (!(error instanceof Error && error.message === `Queue ${hook} does not exist`)) throw error;
      // Another instance has removed it, because there was nothing in it.
      this.#queues.delete(hook);
      return [];
    }
  }

  /**
   * Removes queues of hooks of which nothing is held any more: deleted ones, and those that had no call for as long as
   * deliveries are kept, which get a new one with their next call. Returns how many those were, at most `limit`.
   *
   * Not by pg-boss's `deleteQueue`, because that takes jobs with it that another instance is just sending. Here such a transaction fails
   * at the job's reference to its queue, and is run again; or, when it was first, this statement does.
   */
  async removeUnused(sql: Pick<SQL, "unsafe">, limit: number): Promise<number> {
    const removed = (await sql.unsafe(
      `delete from ${JOBS_SCHEMA}.queue where name in (
         select q.name from ${JOBS_SCHEMA}.queue q
         where starts_with(q.name, 'hk_') and q.created_on < now() - interval '${YOUNG_MINUTES} minutes'
           and not exists (select 1 from lanes l where l.hook = q.name)
           and not exists (select 1 from ${JOBS_SCHEMA}.job j where j.name = q.name)
         limit ${limit})
       returning name`,
    )) as { name: string }[];
    for (const { name } of removed) this.#queues.delete(name);
    return removed.length;
  }

  /** Ends jobs that were fetched. @throws LeaseEnded when one of them is not held any more. */
  async finish(tx: TransactionSQL, hook: HookId, jobs: readonly Job[]): Promise<void> {
    expectAll(await this.#boss.deleteJob(hook, [...jobs], { db: fromBunSql(tx) }), jobs.length);
  }

  /** Lets these jobs be fetched again when they are due. @throws LeaseEnded when one of them is not held any more. */
  async postpone(
    tx: TransactionSQL,
    hook: HookId,
    jobs: readonly { readonly job: Job; readonly due: number; readonly waitMs: number }[],
  ): Promise<void> {
    const db = fromBunSql(tx);
    const fetched = jobs.map(({ job }) => job);
    expectAll(await this.#boss.fail(hook, fetched, null, { db }), jobs.length);
    await Promise.all(jobs.map(({ job, due, waitMs }) => this.#reschedule(db, hook, job.id, due, waitMs)));
  }

  /** Changes when these jobs are due that nobody has fetched. */
  async reschedule(
    tx: TransactionSQL,
    hook: HookId,
    jobs: readonly string[],
    due: number,
    waitMs: number,
  ): Promise<void> {
    const db = fromBunSql(tx);
    await Promise.all(jobs.map((job) => this.#reschedule(db, hook, job, due, waitMs)));
  }

  /** Takes jobs away, whoever has them. */
  async cancel(tx: TransactionSQL, hook: HookId, jobs: readonly string[]): Promise<void> {
    if (jobs.length === 0) return;
    await this.#ensureQueue(hook);
    await this.#boss.deleteJob(hook, [...jobs], { db: fromBunSql(tx) });
  }

  /** Gives back what was fetched, to whoever fetches next. */
  async giveBack(sql: SQL, hook: HookId, jobs: readonly Job[]): Promise<void> {
    if (jobs.length > 0) await this.#boss.fail(hook, [...jobs], null, { db: fromBunSql(sql) });
  }

  /** Renews leases. Those that have ended are left alone. */
  async renew(sql: SQL, hook: HookId, jobs: readonly Job[]): Promise<void> {
    await this.#boss.touch(hook, [...jobs], { db: fromBunSql(sql) });
  }

  async #sendTo(db: JobDatabase, hook: HookId, heads: readonly NewHead[]): Promise<void> {
    const jobs = heads.map(({ job, lane, due }) => {
      return { id: job, priority: priorityAt(due), singletonKey: String(lane) };
    });
    let sent = await this.#boss.insert(hook, jobs, { db, returnId: true });
    if (sent === null) {
      // Another instance has removed the queue, because there was nothing in it.
      this.#queues.delete(hook);
      await this.#ensureQueue(hook);
      sent = await this.#boss.insert(hook, jobs, { db, returnId: true });
    }
    if (sent?.length === heads.length) return;
    throw new Error(`pg-boss took ${sent?.length ?? 0} of ${heads.length} jobs for the queue ${hook}`);
  }

  async #reschedule(db: JobDatabase, hook: HookId, id: string, due: number, waitMs: number): Promise<void> {
    const startAfter = Math.ceil(Math.max(waitMs, 0) / 1000);
    await this.#boss.update(hook, undefined, { id, startAfter, priority: priorityAt(due), db });
  }

  async #ensureQueue(hook: HookId): Promise<void> {
    if (this.#queues.has(hook)) return;
    await this.#boss.createQueue(hook, {
      policy: "standard",
      retryLimit: MANY_TIMES,
      retryDelay: 0,
      retentionSeconds: NEVER_SECONDS,
      expireInSeconds: LONGEST_LEASE_SECONDS,
      heartbeatSeconds: LEASE_SECONDS,
    });
    // Remembered by pg-boss from here on: a first look inside a transaction would take a second connection.
    await this.#boss.insert(hook, []);
    this.#queues.add(hook);
  }
}

/** A job is not held any more: its lease has ended, or it was cancelled. */
export class LeaseEnded extends Error {
  constructor() {
    super("the lease of a delivery has ended");
    this.name = "LeaseEnded";
  }
}

function priorityAt(due: number): number {
  return PRIORITY_OF_EPOCH - Math.floor(due / 1000);
}

function expectAll(response: object, expected: number): void {
  const affected = "affected" in response ? response.affected : undefined;
  if (affected !== expected) throw new LeaseEnded();
}
