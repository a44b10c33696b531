import type { Database } from "bun:sqlite";
import type { HookId } from "../../../src/domain/ids";
import { DELIVERY_STATES } from "../sql/states";
import type { DeliveryQueue } from "./delivery-queue";
import { prepare } from "./prepare";

export type LanesOf = { readonly hook: HookId } | { readonly call: number; readonly tenant: string | null };

type CancelledLane = { readonly id: number; readonly cancel_to: number };

/** Cancelled in one transaction: 500 rows block the thread for less than 10 ms (measured). */
const CANCEL_CHUNK = 500;
/** Moving 50,000 lanes at once blocks for 120 ms (measured). */
const LANES_AT_A_TIME = 1_000;

export type CancellationsOptions = {
  readonly db: Database;
  readonly queue: Pick<DeliveryQueue, "lastId">;
  /** Runs what writes. */
  readonly write: <Result>(run: () => Result) => Result;
};

/** Taking deliveries out of the lanes for good, then marking them, both in chunks between other work. */
export class Cancellations {
  readonly #queue: Pick<DeliveryQueue, "lastId">;
  readonly #write: CancellationsOptions["write"];
  readonly #statements;
  readonly #takeOut: (of: LanesOf, to: number, reason: string) => number;
  readonly #cancelChunk: (at: number) => number;

  constructor({ db, queue, write }: CancellationsOptions) {
    this.#queue = queue;
    this.#write = write;
    this.#statements = prepareStatements(db);
    this.#takeOut = db.transaction((of: LanesOf, to: number, reason: string) => {
      const lanes =
        "hook" in of
          ? this.#statements.lanesOfHook.all(of.hook, to, LANES_AT_A_TIME)
          : this.#statements.lanesOfCall.all(of.call, to, of.tenant, LANES_AT_A_TIME);
      for (const { id, head } of lanes) {
        this.#statements.startWaiting.run(head);
        this.#statements.takeOut.run(to, reason, id);
      }
      return lanes.length;
    }).immediate;
    this.#cancelChunk = db.transaction((at: number) => this.#cancelSome(at)).immediate;
  }

  /** Everything pending for the hook; returns how many deliveries that were. */
  cancelHook(hook: HookId, at: number): Promise<number> {
    return this.cancelLanes({ hook }, "the hook was deleted", at);
  }

  /** The same for some lanes of a hook or a call, with a reason of one's own; `tenant`: of its hooks only. */
  async cancelLanes(of: LanesOf, reason: string, at: number): Promise<number> {
    // What is added meanwhile stays.
    const to = this.#queue.lastId;
    while (this.#write(() => this.#takeOut(of, to, reason)) === LANES_AT_A_TIME) await new Promise(setImmediate);
    return this.finish(at);
  }

  /** Marks what was taken out of the lanes; also what was left of it by an earlier run. */
  async finish(at: number): Promise<number> {
    let cancelled = 0;
    while (this.#statements.cancelledLane.get() !== null) {
      cancelled += this.#write(() => this.#cancelChunk(at));
      await new Promise(setImmediate);
    }
    return cancelled;
  }

  /** A lane costs as much as a delivery: ten thousand lanes of one each, one in a transaction, took 13 s (so 0.8 s). */
  #cancelSome(at: number): number {
    let cancelled = 0;
    for (let left = CANCEL_CHUNK; left > 0; left--) {
      const lane = this.#statements.cancelledLane.get();
      if (lane === null) break;
      const { changes } = this.#statements.cancelDeliveries.run(at, lane.id, lane.cancel_to, left);
      if (changes < left) this.#statements.laneCancelled.run(lane.id, lane.cancel_to);
      cancelled += changes;
      left -= changes;
    }
    return cancelled;
  }
}

type LaneRow = { id: number; head: number };

function prepareStatements(db: Database) {
  return {
    lanesOfHook: prepare<LaneRow, [string, number, number]>(
      db,
      "select id, head from lanes where hook = ? and due is not null and head <= ? limit ?",
    ),
    lanesOfCall: prepare<LaneRow, [number, number, string | null, number]>(
      db,
      "select id, head from lanes where call = ?1 and due is not null and head <= ?2 " +
        "and (?3 is null or hook in (select hook from known_hooks where auth_id = ?3)) limit ?4",
    ),
    startWaiting: prepare<unknown, [number]>(db, "update deliveries set waiting = 1 where id = ?"),
    takeOut: prepare<unknown, [number, string, number]>(
      db,
      "update lanes set head = null, due = null, cancel_to = ?, cancel_reason = ? where id = ?",
    ),
    cancelledLane: prepare<CancelledLane, []>(
      db,
      "select id, cancel_to from lanes where cancel_to is not null limit 1",
    ),
    cancelDeliveries: prepare<unknown, [number, number, number, number]>(
      db,
      `update deliveries set state = ${DELIVERY_STATES.cancelled}, waiting = 0, settled_at = ?1, ` +
        "reason = (select coalesce(cancel_reason, 'the hook was deleted') from lanes where id = ?2) where id in " +
        "(select id from deliveries where waiting = 1 and lane = ?2 and id <= ?3 order by id limit ?4)",
    ),
    laneCancelled: prepare<unknown, [number, number]>(
      db,
      "update lanes set cancel_to = null where id = ? and cancel_to = ?",
    ),
  };
}
