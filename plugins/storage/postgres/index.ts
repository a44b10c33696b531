import type { Clock } from "../../../src/contracts/clock";
import type { Logger } from "../../../src/contracts/logger";
import type { Storage } from "../../../src/contracts/storage";
import type { HookId } from "../../../src/domain/ids";
import { Cancellations } from "./cancellations";
import { DatabaseSilent, type Database } from "./database";
import { DeliveryQueue } from "./delivery-queue";
import { EventLog } from "./event-log";
import { exclusive } from "./exclusive";
import { readFigures } from "./figures";
import { postgresHistory } from "./history";
import { HookChanges } from "./hook-changes";
import { Lanes } from "./lanes";
import { Leases } from "./leases";
import { Notices } from "./notices";
import { openStorage } from "./open-storage";
import { closeOwnerTask, openOwnerTasks } from "./owner-tasks";
import { createPostgresRetention } from "./retention";
import { PausedHooks } from "./paused-hooks";
import { Rounds } from "./rounds";
import { Settling } from "./settling";

export { StorageOpenError } from "../sql/storage-open-error";

export type PostgresStorageOptions = {
  /** `postgres://user:password@host:port/database`; `?sslmode=` as libpq takes it. */
  readonly url: string;
  readonly clock: Clock;
  readonly log: Logger;
};

const CLOSING_MS = 3_000;
/** A look whether it can be written must not hang. What is slow is not yet given up. */
const PROBE_MS = 3_000;

/**
 * The storage for several instances: one Postgres database. `commit` and `settle` are one transaction each, with
 * `synchronous_commit = on`. pg-boss hands out the heads of the lanes (see `Heads`); what one instance has is fenced from the
 * others by its leases.
 *
 * @throws StorageOpenError when the database cannot be reached, or used.
 */
export async function createPostgresStorage({ url, clock, log }: PostgresStorageOptions): Promise<Storage> {
  const { database, heads, close } = await openStorage({ url, clock, log });
  const notices = new Notices({ database, clock, log });
  const lanes = new Lanes(heads, (hooks) => notices.work(hooks));
  const leases = new Leases();
  const queue = new DeliveryQueue({ database, heads, leases });
  const settling = new Settling({ database, heads, lanes, leases });
  const cancellations = new Cancellations({ database, heads, lanes });
  const events = new EventLog(database, lanes);
  const hooks = new HookChanges(database);
  const paused = new PausedHooks(database);
  const retention = createPostgresRetention({ sql: database.sql, clock });
  const rounds = new Rounds({ database, queue, lanes, heads, hooks, notices, clock, log });
  await rounds.start();
  cancellations.finish(clock.now()).catch((error: unknown) => {
    // Fails open because what is left is out of the lanes already, and is marked at the next start.
    log.error({ err: error }, "Cancelled deliveries could not be marked");
  });

  async function changed<Result>(change: Promise<Result>): Promise<Result> {
    const result = await change;
    await notices.hooksChanged();
    return result;
  }

  return {
    commit: (incoming, plan) => events.commit(incoming, plan, clock.now()),
    listUnmatched: (heldBefore) => events.listUnmatched(heldBefore),
    waitingHooks: () => queue.waitingHooks(),
    claim: async (hook, options) => {
      const claim = await queue.claim(hook, options);
      if (claim.deliveries.length < options.limit) notices.taken(hook);
      return claim;
    },
    makeDue: (hook, at) => queue.makeDue(hook, at, clock.now()),
    limitWaits: (hook, now) => queue.limitWaits(hook, now),
    settle: (settlements) => settling.settle(settlements),
    rememberHooks: (known) => hooks.remember(known),
    readHooks: (page) => hooks.read(page),
    changeHooks: (author, hosts, change) => changed(hooks.change(author, hosts, change)),
    restoreHooks: (author, version, change) => changed(hooks.restore(author, version, change)),
    hookVersions: (limit, before) => hooks.versions(limit, before),
    hookDifferences: (from, to) => hooks.differences(from, to),
    cancelHook: (hook) => cancellations.cancelHook(hook, clock.now()),
    pausedHooks: () => paused.all(),
    pauseHooks: (those, reason, at) => changed(paused.pause(those, reason, at)),
    resumeHooks: (those) => changed(paused.resume(those)),
    ownerTasks: () => openOwnerTasks(database),
    ownerTaskDone: (task) => closeOwnerTask(database, task),
    checkWritable: () => checkWritable(database, clock),
    ...postgresHistory({ database, events, lanes, cancellations }),
    sweep: (limits, now) => retention.sweep(limits, now),
    room: (limits) => retention.room(limits),
    figures: () => readFigures(database),
    onWork: (listener: (hooks: readonly HookId[]) => void) => rounds.onWork(listener),
    onHooksChanged: (listener: () => void) => rounds.onHooksChanged(listener),
    exclusive: (name, run) => exclusive({ database, clock, log }, name, run),
    close: async () => {
      notices.close();
      const closed = rounds
        .stop()
        .then(() => retention.close())
        .then(close);
      // Fails open because what it would give back is free by itself soon: a silent server must not hold up the end.
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, CLOSING_MS).unref())]);
    },
  };
}

async function checkWritable(database: Database, clock: Clock): Promise<void> {
  const written = database.rows(
    "insert into probe (id, at) values (1, $1) on conflict (id) do update set at = excluded.at",
    [clock.now()],
  );
  written.catch(() => {});
  let cancel = () => {};
  const silence = new Promise<never>((_, reject) => {
    cancel = clock.after(PROBE_MS, () => reject(new DatabaseSilent(PROBE_MS)));
  });
  await Promise.race([written, silence]).finally(cancel);
}
