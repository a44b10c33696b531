import { createPostgresStorage } from "../../plugins/storage/postgres";
import type { Clock } from "../../src/contracts/clock";
import type { Logger } from "../../src/contracts/logger";
import type { AttemptRecord, Outcome, PendingDelivery, Settlement, Storage } from "../../src/contracts/storage";
import { ManualClock } from "./manual-clock";
import { emptyDatabase, run } from "./postgres";
import { silentLog } from "./silent-log";

/** Storages of several instances on one database. */
export type Storages = {
  readonly url: string;
  readonly all: readonly Storage[];
  /** Another one, on the same database. */
  readonly open: (clock?: Clock, log?: Logger) => Promise<Storage>;
  /** Ends the leases of everything that has been handed out, as time does when they are not renewed. */
  readonly endLeases: () => Promise<void>;
  readonly remove: () => Promise<void>;
};

export async function openStorages(count: number, clock: Clock = new ManualClock()): Promise<Storages> {
  const { url, remove } = await emptyDatabase();
  const all: Storage[] = [];
  async function open(its = clock, log: Logger = silentLog): Promise<Storage> {
    const storage = await createPostgresStorage({ url, clock: its, log });
    all.push(storage);
    return storage;
  }
  for (let i = 0; i < count; i++) await open();
  return {
    url,
    all,
    open,
    endLeases: () => run(url, "update sayna_sip_jobs.job set heartbeat_on = now() - interval '1 minute'"),
    remove: async () => {
      await Promise.all(all.map((storage) => storage.close()));
      await remove();
    },
  };
}

export function attempt(at: number, status = 200): AttemptRecord {
  return { startedAt: at, durationMs: 3, status, error: undefined, answerStart: undefined };
}

export function settled(delivery: PendingDelivery, outcome: Outcome, at: number): Settlement {
  return { delivery, at, attempt: attempt(at), outcome };
}
