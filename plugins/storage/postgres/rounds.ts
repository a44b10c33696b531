import type { Clock } from "../../../src/contracts/clock";
import type { Logger } from "../../../src/contracts/logger";
import type { HookId } from "../../../src/domain/ids";
import type { Database } from "./database";
import type { DeliveryQueue } from "./delivery-queue";
import { LEASE_SECONDS, type Heads } from "./heads";
import type { HookChanges } from "./hook-changes";
import type { Lanes } from "./lanes";
import type { Notices } from "./notices";

export type RoundsOptions = {
  readonly database: Database;
  readonly queue: DeliveryQueue;
  readonly lanes: Lanes;
  readonly heads: Heads;
  readonly hooks: HookChanges;
  readonly notices: Notices;
  readonly clock: Clock;
  readonly log: Logger;
};

/** A notice that was missed, a lease that has ended and a retry that another instance has written are found by looking. */
const LOOK_MS = 1_000;
/** While the database cannot be reached; doubled up to the longest, ±50 %, so that not all come back at once. */
const LONGEST_LOOK_MS = 5_000;
/** What is missing among pg-boss's jobs is looked for at the start, and then so often. */
const REPAIR_MS = 5 * 60_000;
const REPAIRED_AT_A_TIME = 500;
/** Queues without anything in them, removed in each of these rounds. */
const QUEUES_AT_A_TIME = 500;
/** Three times in the life of a lease. */
const RENEW_MS = (LEASE_SECONDS * 1000) / 3;

/** What an instance does again and again beside its work: looking for what others have made, and renewing its leases. */
export class Rounds {
  readonly #options: RoundsOptions;
  #work: (hooks: readonly HookId[]) => void = () => {};
  #hooksChanged: (() => void) | undefined;
  #cancelLook = () => {};
  #cancelRenewal = () => {};
  #cancelRepair = () => {};
  #unlisten = async () => {};
  #stopped = false;
  #failures = 0;
  #revision: string | undefined;

  constructor(options: RoundsOptions) {
    this.#options = options;
    options.database.onReplaced(() => void this.#listen());
  }

  onWork(listener: (hooks: readonly HookId[]) => void): void {
    this.#work = listener;
  }

  onHooksChanged(listener: () => void): void {
    this.#hooksChanged = listener;
  }

  async start(): Promise<void> {
    this.#revision = await this.#options.hooks.revision();
    await this.#listen();
    this.#lookAgain();
    this.#renewAgain();
    await this.#repair();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelLook();
    this.#cancelRenewal();
    this.#cancelRepair();
    await this.#unlisten().catch(() => {});
    await this.#options.queue.giveAllBack().catch((error: unknown) => {
      // Fails open because the leases end by themselves.
      this.#options.log.warn({ err: error }, "Leased deliveries could not be given back");
    });
  }

  async #listen(): Promise<void> {
    const { notices, database, log } = this.#options;
    try {
      this.#unlisten = await notices.listen(database.sql, (notice) => {
        if (notice.kind === "work") this.#work(notice.hooks);
        else this.#hooksChanged?.();
      });
    } catch (error) {
      // Fails open because it looks by itself every second.
      log.warn({ err: error }, "This instance cannot be told what the others do");
    }
  }

  #lookAgain(): void {
    if (this.#stopped) return;
    const ms = Math.min(LOOK_MS * 2 ** this.#failures, LONGEST_LOOK_MS);
    const jitter = this.#failures === 0 ? 1 : 0.5 + Math.random();
    this.#cancelLook = this.#options.clock.after(ms * jitter, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { queue, hooks, clock, log } = this.#options;
    try {
      const [due, revision] = await Promise.all([queue.dueHooks(clock.now()), hooks.revision()]);
      if (this.#failures > 0) log.info({}, "The database can be reached again");
      this.#failures = 0;
      if (this.#revision !== revision && this.#hooksChanged !== undefined) {
        // Remembered only then: what changes while the service is still being made is told when somebody listens.
        this.#revision = revision;
        this.#hooksChanged();
      }
      if (due.length > 0) this.#work(due);
    } catch (error) {
      if (this.#failures === 0 && !this.#stopped) log.error({ err: error }, "The database cannot be reached");
      this.#failures++;
    }
    this.#lookAgain();
  }

  #renewAgain(): void {
    if (this.#stopped) return;
    this.#cancelRenewal = this.#options.clock.after(RENEW_MS, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    await this.#options.queue.renewLeases().catch((error: unknown) => {
      // Fails open: a lease that ends lets another instance send the same, with the same webhook-id.
      this.#options.log.warn({ err: error }, "Leases of deliveries could not be renewed");
    });
    this.#renewAgain();
  }

  async #repair(): Promise<void> {
    const { database, lanes, clock, log } = this.#options;
    try {
      for (let repaired = REPAIRED_AT_A_TIME; repaired === REPAIRED_AT_A_TIME && !this.#stopped;) {
        repaired = await database.transaction((tx) => lanes.repair(tx, REPAIRED_AT_A_TIME));
        if (repaired > 0) log.warn({ lanes: repaired }, "Deliveries that pg-boss did not know any more are sent again");
      }
    } catch (error) {
      // Fails open because it is looked for again.
      log.warn({ err: error }, "Missing jobs could not be looked for");
    }
    if (!this.#stopped) this.#cancelRepair = clock.after(REPAIR_MS, () => void this.#tidy());
  }

  async #tidy(): Promise<void> {
    const { database, heads, log } = this.#options;
    await heads.removeUnused(database.sql, QUEUES_AT_A_TIME).catch((error: unknown) => {
      // Fails open because they are in nobody's way; also when one of them was taken into use at the same time.
      log.debug({ err: error }, "Unused queues could not be removed");
    });
    await this.#repair();
  }
}
