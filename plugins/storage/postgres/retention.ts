import type { ReservedSQL, SQL } from "bun";
import type { Clock } from "../../../src/contracts/clock";
import type { RetentionLimits, Room, SweepResult, Upkeep } from "../../../src/contracts/upkeep";
import { FinishedEvents, type FinishedFound } from "./finished-events";
import { bytesOf, readHeldBytes } from "./held-bytes";
import { Removal } from "./removal";
import { SweepLock } from "./sweep-lock";

export type PostgresRetentionOptions = {
  readonly sql: SQL;
  readonly clock: Clock;
};

export type PostgresRetention = Upkeep & {
  /** To be called before the connections are closed. */
  close(): Promise<void>;
};

/** So long is believed what was counted last: each look costs the server some milliseconds. */
const LOOK_AGAIN_MS = 30_000;
const CALLS_AT_A_TIME = 200;

type Step = { readonly removed: number; readonly again: boolean };
const NOTHING: Step = { removed: 0, again: false };
const NOT_NOW: SweepResult = { removed: 0, more: false };

/**
 * `Upkeep` on Postgres: the steps of SQLite's, each of them one transaction, by one instance at a time: the others find
 * nothing to do meanwhile.
 *
 * What is different is room. `maxSize` is about what is held (`readHeldBytes`), not about files: what was removed leaves room
 * inside them, which autovacuum finds and new events take, so that the files stop growing and do not shrink. There is no
 * ballast and no `full`, because the disk is the server's: an operator watches its free space, and that autovacuum keeps up
 * (`pg_stat_user_tables`: `n_dead_tup`, `last_autovacuum`). `VACUUM FULL` or pg_repack would make the files smaller.
 */
export function createPostgresRetention({ sql, clock }: PostgresRetentionOptions): PostgresRetention {
  const lock = new SweepLock(sql);
  const finished = new FinishedEvents();
  const removal = new Removal();
  let held: { readonly bytes: number; readonly at: number } | undefined;
  /** The step of the sweep that is under way, and how far it has come. */
  let step = 0;
  let after = 0;
  let stuck = false;

  async function needsRoom({ maxSize }: RetentionLimits, now = clock.monotonic()): Promise<boolean> {
    if (maxSize === Number.POSITIVE_INFINITY) return false;
    if (held === undefined || now - held.at >= LOOK_AGAIN_MS) held = { bytes: await readHeldBytes(sql), at: now };
    return held.bytes > maxSize;
  }

  async function remove(connection: ReservedSQL, found: FinishedFound, now: number): Promise<Step> {
    const removed = found.events.length === 0 ? 0 : await removeSafely(connection, found, now);
    const progressed = removed > 0 || (found.after ?? 0) > after;
    after = found.after ?? 0;
    return { removed, again: found.after !== undefined && progressed };
  }

  /** What somebody asks for again between the look and the lock stays. */
  async function removeSafely(
    connection: ReservedSQL,
    { events, wanted }: FinishedFound,
    now: number,
  ): Promise<number> {
    const removed = await connection.begin(async (tx) => {
      const free = await removal.lockFree(
        tx,
        events.flatMap(({ room_sid: sid }) => sid ?? []),
      );
      const seqs = events.filter(({ room_sid: sid }) => sid === null || free.has(sid)).map(({ seq }) => seq);
      return removal.removeEvents(tx, await finished.again(tx, seqs, wanted), now);
    });
    if (held !== undefined) held = { ...held, bytes: Math.max(0, held.bytes - bytesOf(removed)) };
    return removed.events;
  }

  async function forgetCalls(connection: ReservedSQL, now: number): Promise<Step> {
    const next = await connection.begin((tx) => removal.removeCalls(tx, after, CALLS_AT_A_TIME, now));
    after = next ?? 0;
    return { removed: 0, again: next !== undefined };
  }

  type Context = { readonly connection: ReservedSQL; readonly limits: RetentionLimits; readonly now: number };
  const makeRoom =
    (find: (connection: ReservedSQL) => Promise<FinishedFound>) =>
    async ({ connection, limits, now }: Context): Promise<Step> =>
      (await needsRoom(limits)) ? remove(connection, await find(connection), now) : NOTHING;

  /** Room comes first, then what has reached its age, then calls and ids that nothing needs any more. */
  const steps: readonly ((context: Context) => Promise<Step>)[] = [
    async () => {
      held = undefined;
      return NOTHING;
    },
    makeRoom((connection) => finished.delivered(connection, after)),
    makeRoom((connection) => finished.unmatched(connection)),
    makeRoom((connection) => finished.dead(connection, after)),
    async ({ limits }) => {
      stuck = await needsRoom(limits);
      return NOTHING;
    },
    async ({ connection, limits, now }) => remove(connection, await finished.aged(connection, after, limits, now), now),
    ({ connection, now }) => forgetCalls(connection, now),
    async ({ connection, now }) => ({ removed: 0, again: await removal.forgetIds(connection, now) }),
  ];

  async function nextStep(context: Context): Promise<SweepResult> {
    for (let run = steps[step]; run !== undefined; run = steps[step]) {
      const { removed, again } = await run(context);
      if (!again) {
        step++;
        after = 0;
      }
      if (removed > 0 || again) return { removed, more: true };
    }
    return NOT_NOW;
  }

  async function endSweep(): Promise<void> {
    step = 0;
    after = 0;
    await lock.free();
  }

  return {
    async sweep(limits, now) {
      const connection = await lock.take();
      if (connection === undefined) return NOT_NOW;
      let result = NOT_NOW;
      try {
        result = await nextStep({ connection, limits, now });
      } finally {
        if (!result.more) await endSweep();
      }
      return result;
    },

    async room(limits): Promise<Room> {
      if (await needsRoom(limits)) return stuck ? "stuck" : "over";
      stuck = false;
      return "enough";
    },

    close: endSweep,
  };
}
