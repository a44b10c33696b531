import type { Clock } from "../../../src/contracts/clock";
import type { Logger } from "../../../src/contracts/logger";
import type { Storage } from "../../../src/contracts/storage";
import { DeliveryQueue } from "./delivery-queue";
import { EventLog } from "./event-log";
import { HookRows } from "./hook-rows";
import { openDatabase, readPragma } from "./open-database";

export { DATABASE_FILE, StorageOpenError } from "./open-database";

export type SqliteStorageOptions = {
  /** Where the database's files are; made when it is missing. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
};

/**
 * The embedded storage: one SQLite database in WAL mode with `synchronous = FULL`. Its calls run at once on the calling
 * thread; each one that writes is one transaction, and one sync of the disk.
 *
 * @throws StorageOpenError when the database cannot be opened or made.
 */
export function createSqliteStorage({ dataDir, clock, log }: SqliteStorageOptions): Storage {
  const db = openDatabase(dataDir);
  const queue = new DeliveryQueue(db);
  const events = new EventLog(db, queue);
  const hooks = new HookRows(db);
  const probe = db.query<unknown, [number]>(
    "insert into probe (id, at) values (1, ?) on conflict (id) do update set at = excluded.at",
  );
  log.info({ data_dir: dataDir, synchronous: readPragma(db, "synchronous") }, "Storage is open");
  queue.finishCancellations(clock.now()).catch((error: unknown) => {
    // Fails open because what is left is out of the lanes already, and is marked at the next start.
    log.error({ err: error }, "Cancelled deliveries could not be marked");
  });
  return {
    commit: async (incoming, isActive) => events.commit(incoming, isActive),
    listUnmatched: async (heldBefore) => events.listUnmatched(heldBefore),
    waitingHooks: async () => queue.waitingHooks(),
    claim: async (hook, options) => queue.claim(hook, options),
    settle: async (settlements) => queue.settle(settlements),
    readHooks: async () => hooks.read(),
    changeHooks: async (author, change) => hooks.change(author, change),
    hookChanges: async (limit) => hooks.changes(limit),
    cancelHook: async (hook) => queue.cancel(hook, clock.now()),
    pausedHooks: async () => hooks.paused(),
    pauseHook: async (hook, reason, at) => hooks.pause(hook, reason, at),
    resumeHook: async (hook) => hooks.resume(hook),
    ownerTasks: async () => events.ownerTasks(),
    ownerTaskDone: async (task) => events.ownerTaskDone(task),
    checkWritable: async () => {
      probe.run(clock.now());
    },
    close: async () => db.close(),
  };
}
