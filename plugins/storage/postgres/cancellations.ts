import type { TransactionSQL } from "bun";
import { hookIdFrom, type HookId } from "../../../src/domain/ids";
import type { Database } from "./database";
import type { Heads } from "./heads";
import type { Lanes } from "./lanes";
import { DELIVERY_STATES } from "../sql/states";

export type LanesOf = { readonly hook: HookId } | { readonly call: number; readonly tenant: string | null };

export type CancellationsOptions = {
  readonly database: Database;
  readonly heads: Heads;
  readonly lanes: Lanes;
};

/** Taken out, and marked, in one transaction: some milliseconds each. */
const LANES_AT_A_TIME = 500;
const DELIVERIES_AT_A_TIME = 500;

/** Taking deliveries out of the lanes for good. Whoever is sending one meanwhile finds its job gone when it settles. */
export class Cancellations {
  readonly #database: Database;
  readonly #heads: Heads;
  readonly #lanes: Lanes;

  constructor({ database, heads, lanes }: CancellationsOptions) {
    this.#database = database;
    this.#heads = heads;
    this.#lanes = lanes;
  }

  /** Takes everything pending for the hook out of the lanes, then marks it, all in small steps. */
  async cancelHook(hook: HookId, at: number): Promise<number> {
    return this.cancelLanes({ hook }, "the hook was deleted", at);
  }

  /** The same for some lanes of a hook or a call, with a reason of one's own; `tenant`: of its hooks only. */
  async cancelLanes(of: LanesOf, reason: string, at: number): Promise<number> {
    for (;;) {
      const taken = await this.#database.transaction((tx) => this.#takeOut(tx, of, reason));
      if (taken < LANES_AT_A_TIME) break;
    }
    return this.finish(at);
  }

  /** Cancels those of these deliveries that are pending, and moves their lanes on; returns how many that were. */
  async cancelSome(
    tx: TransactionSQL,
    ids: readonly number[],
    tenant: string | null,
    reason: string,
    at: number,
  ): Promise<number> {
    if (ids.length === 0) return 0;
    const wanted = tx.array([...ids], "BIGINT");
    const lanes = (await tx.unsafe(
      `select id, hook, head, job from lanes where id in
         (select lane from deliveries where id = any($1::bigint[]) and ($2::text is null or tenant = $2))
       order by id for no key update`,
      [wanted, tenant],
    )) as { id: string; hook: string; head: string | null; job: string | null }[];
    const cancelled = (await tx.unsafe(
      `update deliveries set state = ${DELIVERY_STATES.cancelled}, settled_at = $1, reason = $2
       where id = any($3::bigint[]) and state = ${DELIVERY_STATES.pending} and ($4::text is null or tenant = $4) returning id`,
      [at, reason, wanted, tenant],
    )) as { id: string }[];
    const gone = new Set(cancelled.map(({ id }) => id));
    const headless = lanes.filter(({ head }) => head !== null && gone.has(head));
    await this.#cancelJobs(tx, headless);
    await this.#lanes.moveOn(tx, new Map(headless.map(({ id }) => [Number(id), at])));
    return gone.size;
  }

  /** Marks what was taken out of the lanes; also what is left of it by an instance that was killed. */
  async finish(at: number): Promise<number> {
    for (let cancelled = 0; ;) {
      const marked = await this.#database.transaction((tx) => this.#markSome(tx, at));
      if (marked === undefined) return cancelled;
      cancelled += marked;
    }
  }

  async #takeOut(tx: TransactionSQL, of: LanesOf, reason: string): Promise<number> {
    const [which, parameters] =
      "hook" in of
        ? ["hook = $1", [of.hook]]
        : [
            "call = $1 and ($2::text is null or hook in (select hook from known_hooks where auth_id = $2))",
            [of.call, of.tenant],
          ];
    const lanes = (await tx.unsafe(
      `select id, hook, job from lanes where ${which} and due is not null order by id limit ${LANES_AT_A_TIME} for no key update`,
      parameters,
    )) as { id: string; hook: string; job: string | null }[];
    if (lanes.length === 0) return 0;
    // A statement of its own: it sees what was added to these lanes by those that were waited for.
    await tx.unsafe(
      `update lanes l set head = null, due = null, job = null, cancel_reason = $2,
         cancel_to = (select max(d.id) from deliveries d where d.lane = l.id) where l.id = any($1::bigint[])`,
      [
        tx.array(
          lanes.map(({ id }) => Number(id)),
          "BIGINT",
        ),
        reason,
      ],
    );
    await this.#cancelJobs(tx, lanes);
    return lanes.length;
  }

  async #cancelJobs(tx: TransactionSQL, lanes: readonly { hook: string; job: string | null }[]): Promise<void> {
    const byHook = Map.groupBy(lanes, ({ hook }) => hook);
    for (const [hook, some] of byHook) {
      await this.#heads.cancel(
        tx,
        hookIdFrom(hook),
        some.flatMap(({ job }) => job ?? []),
      );
    }
  }

  /** Undefined when nothing is left to mark, or others are at it. */
  async #markSome(tx: TransactionSQL, at: number): Promise<number | undefined> {
    const [lane] = (await tx.unsafe(
      "select id, cancel_to from lanes where cancel_to is not null order by id limit 1 for no key update skip locked",
    )) as { id: string; cancel_to: string }[];
    if (lane === undefined) return undefined;
    const marked = (await tx.unsafe(
      `update deliveries set state = ${DELIVERY_STATES.cancelled}, settled_at = $1,
         reason = (select coalesce(cancel_reason, 'the hook was deleted') from lanes where id = $2)
       where id in (select id from deliveries where lane = $2 and state = ${DELIVERY_STATES.pending} and id <= $3
         order by id limit ${DELIVERIES_AT_A_TIME}) returning 1`,
      [at, lane.id, lane.cancel_to],
    )) as unknown[];
    if (marked.length < DELIVERIES_AT_A_TIME) {
      await tx.unsafe("update lanes set cancel_to = null where id = $1", [lane.id]);
    }
    return marked.length;
  }
}
