import type { SQL, TransactionSQL } from "bun";
import type { DeliveryPlan } from "../../../../src/contracts/storage";
import type { History } from "../../../../src/contracts/history";
import type { HookId } from "../../../../src/domain/ids";

export type NewReplay = {
  readonly hook: HookId;
  readonly call: number;
  readonly event: number;
  readonly now: number;
  readonly plan: Exclude<DeliveryPlan, "unwanted">;
  readonly replay: true;
};

export type LanesToCancel = { readonly hook: HookId } | { readonly call: number; readonly tenant: string | null };

/** What the history needs of the queue. */
export type NeededQueue = {
  /** Adds deliveries, each at the end of its lane, in this order. The transaction holds the locks of their calls. */
  add(tx: TransactionSQL, deliveries: readonly NewReplay[]): Promise<void>;

  /** Cancels what is pending in some lanes of a hook or a call, in small steps; `tenant`: of its hooks only. How many that were. */
  cancelLanes(of: LanesToCancel, reason: string, at: number): Promise<number>;

  /** Cancels those of these deliveries that are pending, and moves their lanes on; `tenant`: its own only. How many that were. */
  cancelSome(
    tx: TransactionSQL,
    ids: readonly number[],
    tenant: string | null,
    reason: string,
    at: number,
  ): Promise<number>;
};

/** What the history passes on to the events: see `History`. */
export type NeededEvents = Pick<History, "eventsWithoutHook" | "routeAgain" | "remembered">;

/**
 * Holds these calls until the end of the transaction, as everything does that adds to a call or takes from it; always in the
 * order of their ids, so that nobody waits in a circle.
 *
 * @returns those that are (still) there.
 */
export type LockCalls = (tx: TransactionSQL, calls: readonly number[]) => Promise<readonly number[]>;

/** Runs one transaction, and again when Postgres ended it to let another go on. */
export type Transaction = <Result>(run: (tx: TransactionSQL) => Promise<Result>) => Promise<Result>;

export type PostgresHistoryOptions = {
  readonly sql: SQL;
  readonly transaction: Transaction;
  readonly queue: NeededQueue;
  readonly events: NeededEvents;
  readonly lockCalls: LockCalls;
};
