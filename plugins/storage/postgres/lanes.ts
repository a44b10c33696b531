import type { TransactionSQL } from "bun";
import type { DeliveryPlan } from "../../../src/contracts/storage";
import { hookIdFrom, type HookId } from "../../../src/domain/ids";
import type { Heads, NewHead } from "./heads";
import { JOBS_SCHEMA } from "./migrations";
import { DELIVERY_STATES } from "../sql/states";

export type NewDelivery = {
  readonly hook: HookId;
  readonly call: number;
  readonly event: number;
  readonly now: number;
  readonly plan: Exclude<DeliveryPlan, "unwanted">;
  readonly replay?: boolean;
};

/** A lane that has no head, and the delivery that becomes it. */
type Succession = { readonly lane: number; readonly hook: HookId; readonly head: number; readonly due: number };

/**
 * The lanes as rows. Whoever changes a lane holds its row until the end of the transaction, and takes several in the order
 * of their ids, so that nobody waits in a circle.
 */
export class Lanes {
  readonly #heads: Heads;
  readonly #onAdded: (hooks: readonly HookId[]) => void;

  /** @param onAdded is told the hooks that have a new head, a moment before that is committed. */
  constructor(heads: Heads, onAdded: (hooks: readonly HookId[]) => void) {
    this.#heads = heads;
    this.#onAdded = onAdded;
  }

  /** Adds deliveries, each at the end of its lane, in this order. The transaction holds the locks of their calls. */
  async add(tx: TransactionSQL, deliveries: readonly NewDelivery[]): Promise<void> {
    if (deliveries.length === 0) return;
    const wanted = JSON.stringify(
      deliveries.map(({ hook, call, event, now, plan, replay = false }, ord) => {
        const part = plan === "unordered" ? event : 0;
        return { ord, hook, call, part, event, now, gone: plan === "gone", replay: replay ? 1 : 0 };
      }),
    );
    const [, lanes, added] = await Promise.all([
      tx.unsafe(
        // In the order of their deliveries: of heads that are due at the same time the lower lane goes first.
        `insert into lanes (hook, call, part) select hook, call, part from ${NEW_DELIVERIES}
         group by hook, call, part order by min(ord) on conflict do nothing`,
        [wanted],
      ),
      tx.unsafe(
        `select l.id, l.hook, l.head from lanes l
         where (l.hook, l.call, l.part) in (select hook, call, part from ${NEW_DELIVERIES}) order by l.id for no key update`,
        [wanted],
      ),
      tx.unsafe(
        `insert into deliveries (lane, event, state, replay, hook, tenant, made_at, settled_at, reason)
         select l.id, x.event, case when x.gone then ${DELIVERY_STATES.cancelled} else ${DELIVERY_STATES.pending} end, x.replay,
           x.hook, (select auth_id from known_hooks k where k.hook = x.hook), x.now,
           case when x.gone then x.now end, case when x.gone then 'the hook is gone' end
         from ${NEW_DELIVERIES} join lanes l on l.hook = x.hook and l.call = x.call and l.part = x.part order by x.ord
         returning id, lane, state, made_at`,
        [wanted],
      ),
    ]);
    const successions = new Map<number, Succession>();
    const first = Map.groupBy(added as AddedRow[], ({ lane }) => lane);
    for (const { id, hook, head } of lanes as LaneRow[]) {
      const next = head === null ? first.get(id)?.find(({ state }) => state === DELIVERY_STATES.pending) : undefined;
      if (next === undefined) continue;
      const lane = Number(id);
      successions.set(lane, { lane, hook: hookIdFrom(hook), head: Number(next.id), due: Number(next.made_at) });
    }
    await this.#appoint(tx, [...successions.values()]);
    this.#onAdded([...successions.values()].map(({ hook }) => hook));
  }

  /**
   * Gives lanes whose head has ended their next one, or none. The transaction holds their rows, and has taken the old
   * heads' jobs away.
   *
   * @param lanes with the time when the next one becomes due, ms since the epoch.
   */
  async moveOn(tx: TransactionSQL, lanes: ReadonlyMap<number, number>): Promise<void> {
    if (lanes.size === 0) return;
    const rows = (await tx.unsafe(
      `select l.id, l.hook, (select min(d.id) from deliveries d where d.lane = l.id and d.state = ${DELIVERY_STATES.pending}
         and d.id > coalesce(l.cancel_to, 0)) as head
       from lanes l where l.id = any($1::bigint[])`,
      [tx.array([...lanes.keys()], "BIGINT")],
    )) as LaneRow[];
    const emptied = rows.filter(({ head }) => head === null).map(({ id }) => Number(id));
    if (emptied.length > 0) {
      await tx.unsafe(
        "update lanes set head = null, due = null, wait = null, job = null where id = any($1::bigint[])",
        [tx.array(emptied, "BIGINT")],
      );
    }
    const successions = rows.flatMap(({ id, hook, head }) => {
      const lane = Number(id);
      return head === null ? [] : [{ lane, hook: hookIdFrom(hook), head: Number(head), due: lanes.get(lane) ?? 0 }];
    });
    await this.#appoint(tx, successions);
  }

  /**
   * Sends the heads again whose jobs are gone: somebody has emptied pg-boss's tables, or has restored a backup without them.
   * Returns how many that were.
   */
  async repair(tx: TransactionSQL, limit: number): Promise<number> {
    const isMissing = `due is not null and not exists
      (select 1 from ${JOBS_SCHEMA}.job j where j.name = lanes.hook and j.id = lanes.job)`;
    const found = (await tx.unsafe(
      `select id from lanes where ${isMissing} order by id limit ${limit} for no key update skip locked`,
    )) as { id: string }[];
    if (found.length === 0) return 0;
    const ids = found.map(({ id }) => Number(id));
    // Asked again, of rows that nobody else changes any more.
    const rows = (await tx.unsafe(
      `select id, hook, head, due from lanes where ${isMissing} and id = any($1::bigint[]) order by id`,
      [tx.array(ids, "BIGINT")],
    )) as (LaneRow & { readonly due: string })[];
    await this.#appoint(
      tx,
      rows.map(({ id, hook, head, due }) => {
        return { lane: Number(id), hook: hookIdFrom(hook), head: Number(head), due: Number(due) };
      }),
    );
    return rows.length;
  }

  async #appoint(tx: TransactionSQL, successions: readonly Succession[]): Promise<void> {
    if (successions.length === 0) return;
    // In their order by id, too: what was made in one transaction has the same time in pg-boss.
    const heads = successions.map((succession): NewHead & Succession => ({ ...succession, job: Bun.randomUUIDv7() }));
    await Promise.all([
      tx.unsafe(
        `update lanes l set head = x.head, due = x.due, job = x.job, wait = case when l.head = x.head then l.wait end
         from json_to_recordset($1::text::json) as x (lane bigint, head bigint, due bigint, job uuid) where l.id = x.lane`,
        [JSON.stringify(heads)],
      ),
      this.#heads.send(tx, heads),
    ]);
  }
}

type LaneRow = { readonly id: string; readonly hook: string; readonly head: string | null };
type AddedRow = { readonly id: string; readonly lane: string; readonly state: number; readonly made_at: string };

const NEW_DELIVERIES =
  "json_to_recordset($1::text::json) as x " +
  "(ord integer, hook text, call bigint, part bigint, event bigint, now bigint, gone boolean, replay smallint)";
