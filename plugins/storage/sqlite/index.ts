import type { Clock } from "../../../src/contracts/clock";
import type { Logger } from "../../../src/contracts/logger";
import type { Storage } from "../../../src/contracts/storage";
import { Ballast } from "./ballast";
import { Cancellations } from "./cancellations";
import { DeliveryQueue } from "./delivery-queue";
import { EventLog } from "./event-log";
import { Figures } from "./figures";
import { sqliteHistory } from "./history";
import { HookChanges } from "./hook-changes";
import { HookRows } from "./hook-rows";
import { openDatabase, readPragma } from "./open-database";
import { PausedHooks } from "./paused-hooks";
import { Retention } from "./retention";
import { WriteGuard } from "./write-guard";
import { prepare } from "./prepare";

export { backUpDatabase, type Backup } from "./backup-database";
export { BackupError } from "./backup-error";
export { lookAtDataDirectory, type DataDirectoryLook } from "./look-at-data-directory";
export { DATABASE_FILE } from "./open-database";
export { restoreDatabase, type Restored } from "./restore-database";
export { StorageOpenError } from "../sql/storage-open-error";

export type SqliteStorageOptions = {
  /** Where the database's files are; made when it is missing. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Bytes of disk that are kept for when it is full; `sweep` makes them. */
  readonly ballast?: number;
  /** The database never gets more pages than this, of 4 KiB: a disk that is full, for tests. */
  readonly maxPages?: number;
};

const BALLAST_BYTES = 16 * 1024 * 1024;

/**
 * The embedded storage: one SQLite database in WAL mode with `synchronous = FULL`. Its calls run at once on the calling
 * thread; each one that writes is one transaction, and one sync of the disk.
 *
 * @throws StorageOpenError when the database cannot be opened or made.
 */
export function createSqliteStorage({
  dataDir,
  clock,
  log,
  ballast = BALLAST_BYTES,
  maxPages,
}: SqliteStorageOptions): Storage {
  const { db, close } = openDatabase({ dataDir, log, maxPages });
  const queue = new DeliveryQueue(db);
  const events = new EventLog(db, queue);
  const hooks = new HookRows(db);
  const hookChanges = new HookChanges(db, hooks, log);
  const paused = new PausedHooks(db);
  const writes = new WriteGuard({ clock, onDiskFull: (use) => retention.diskWasFull(use) });
  const retention = new Retention({
    db,
    ballast: new Ballast(dataDir, ballast),
    onCallsRemoved: (calls) => events.forgetCalls(calls),
    write: (run) => writes.run(run, "upkeep"),
  });
  const cancellations = new Cancellations({ db, queue, write: (run) => writes.run(run) });
  const figures = new Figures(db);
  const probe = prepare<unknown, [number]>(
    db,
    "insert into probe (id, at) values (1, ?) on conflict (id) do update set at = excluded.at",
  );
  log.info({ data_dir: dataDir, synchronous: readPragma(db, "synchronous") }, "Storage is open");
  cancellations.finish(clock.now()).catch((error: unknown) => {
    // Fails open because what is left is out of the lanes already, and is marked at the next start.
    log.error({ err: error }, "Cancelled deliveries could not be marked");
  });
  return {
    commit: async (incoming, plan) => writes.keep(() => events.commit(incoming, plan, clock.now())),
    listUnmatched: async (heldBefore) => events.listUnmatched(heldBefore),
    waitingHooks: async () => queue.waitingHooks(),
    claim: async (hook, options) => queue.claim(hook, options),
    makeDue: async (hook, at) => queue.makeDue(hook, at),
    limitWaits: async (hook, now) => queue.limitWaits(hook, now),
    settle: async (settlements) => writes.run(() => queue.settle(settlements)),
    rememberHooks: async (known) => hooks.remember(known),
    readHooks: (page) => hookChanges.read(page),
    changeHooks: (author, hosts, change) => hookChanges.change(author, hosts, change),
    restoreHooks: (author, version, change) => hookChanges.restore(author, version, change),
    hookVersions: async (limit, before) => hookChanges.versions(limit, before),
    hookDifferences: (from, to) => hookChanges.differences(from, to),
    cancelHook: async (hook) => cancellations.cancelHook(hook, clock.now()),
    pausedHooks: async () => paused.all(),
    pauseHooks: async (those, reason, at) => paused.pause(those, reason, at),
    resumeHooks: async (those) => paused.resume(those),
    ownerTasks: async () => events.ownerTasks(),
    ownerTaskDone: async (task) => events.ownerTaskDone(task),
    checkWritable: async () => {
      writes.check();
      writes.run(() => probe.run(clock.now()));
    },
    ...sqliteHistory({ db, queue, cancellations, events, write: (run) => writes.run(run) }),
    sweep: (limits, now) => retention.sweep(limits, now),
    room: async (limits) => retention.room(limits),
    figures: () => figures.read(),
    close: async () => close(),
  };
}
