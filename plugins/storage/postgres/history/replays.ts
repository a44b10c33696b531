import type { SQL, TransactionSQL } from "bun";
import type {
  DeliveryState,
  PageRequest,
  ReplayOptions,
  ReplayResult,
  ReplaySelection,
} from "../../../../src/contracts/history";
import { hookIdFrom, type HookId } from "../../../../src/domain/ids";
import { deliveryStateName } from "../../sql/states";
import { tenantOf } from "../../sql/tenant-of";
import { bigints, texts } from "../array-parameters";
import type { Database } from "../database";
import type { Lanes, NewDelivery } from "../lanes";
import { lockCalls } from "../locks";
import type { DeliveryScan } from "./delivery-scan";

/** An event and a hook that gets it again. */
type Candidate = { readonly event: number; readonly call: number; readonly hook: HookId; readonly name: string };

type Tally = {
  readonly candidates: Map<string, Candidate>;
  readonly pending: Set<string>;
  readonly next: string | undefined;
};

type Queued = { readonly queued: readonly Candidate[]; readonly pending: number; readonly unwanted: number };

export type ReplaysOptions = {
  readonly database: Database;
  readonly scan: DeliveryScan;
  readonly lanes: Pick<Lanes, "add">;
};

/** Looked at by one statement. */
const READ_AT_A_TIME = 500;
/** Queued in one transaction, which holds the locks of their calls meanwhile. */
const QUEUED_AT_A_TIME = 100;

/** Queues deliveries again. */
export class Replays {
  readonly #database: Database;
  readonly #scan: DeliveryScan;
  readonly #lanes: Pick<Lanes, "add">;

  constructor({ database, scan, lanes }: ReplaysOptions) {
    this.#database = database;
    this.#scan = scan;
    this.#lanes = lanes;
  }

  /** @throws AppError `invalid_cursor` */
  async replay(selection: ReplaySelection, options: ReplayOptions): Promise<ReplayResult> {
    const { candidates, pending, next } =
      selection.kind === "delivery" ? await this.#one(selection) : await this.#collect(selection);
    // The order in which the events were kept, also where an earlier replay has made another one.
    const ordered = [...candidates.values()].toSorted((a, b) => a.event - b.event);
    const counts = { queued: 0, pending: pending.size, unwanted: 0 };
    const hooks = new Set<HookId>();
    for (let from = 0; from < ordered.length; from += QUEUED_AT_A_TIME) {
      const some = await this.#queueSome(ordered.slice(from, from + QUEUED_AT_A_TIME), options);
      counts.queued += some.queued.length;
      counts.pending += some.pending;
      counts.unwanted += some.unwanted;
      for (const { hook } of some.queued) hooks.add(hook);
    }
    return { ...counts, hooks: [...hooks], next };
  }

  async #one({ id, viewer }: Extract<ReplaySelection, { kind: "delivery" }>): Promise<Tally> {
    const tally: Tally = { candidates: new Map(), pending: new Set(), next: undefined };
    await this.#consider([String(id)], tenantOf(viewer), undefined, tally);
    return tally;
  }

  async #collect({ filter, limit, after }: Extract<ReplaySelection, { kind: "filter" }>): Promise<Tally> {
    const tally = { candidates: new Map<string, Candidate>(), pending: new Set<string>(), next: after };
    let seen = 0;
    do {
      const request: PageRequest = {
        limit: Math.min(READ_AT_A_TIME, limit - seen),
        ...(tally.next === undefined ? {} : { after: tally.next }),
      };
      const { entries, next } = await this.#scan.page(filter, "oldest", request);
      const ids = entries.map(({ id }) => id);
      await this.#consider(ids, tenantOf(filter.viewer), filter.states, tally);
      tally.next = next;
      seen += entries.length;
    } while (tally.next !== undefined && seen < limit);
    return tally;
  }

  /** Of each event and hook the latest delivery counts. */
  async #consider(
    ids: readonly string[],
    tenant: string | null,
    states: readonly DeliveryState[] | undefined,
    { candidates, pending }: Tally,
  ): Promise<void> {
    if (ids.length === 0) return;
    const { sql } = this.#database;
    const rows = await sql<Row[]>`select d.event, l.call, d.hook, e.name,
        (select x.state from deliveries x where x.event = d.event and x.hook = d.hook order by x.id + 0 desc limit 1) as latest
      from deliveries d join lanes l on l.id = d.lane join events e on e.seq = d.event
      where d.id = any(${bigints(sql, ids)}) and (${tenant}::text is null or d.tenant = ${tenant}) order by d.id`;
    for (const { event, call, hook, name, latest } of rows) {
      const key = `${hook} ${event}`;
      const state = deliveryStateName(latest);
      if (state === "pending") pending.add(key);
      else if (states === undefined || states.includes(state)) {
        candidates.set(key, { event: Number(event), call: Number(call), hook: hookIdFrom(hook), name });
      }
    }
  }

  async #queueSome(candidates: readonly Candidate[], options: ReplayOptions): Promise<Queued> {
    if (options.dryRun) {
      const { add: _, ...result } = await this.#choose(this.#database.sql, candidates, options);
      return result;
    }
    return this.#database.transaction(async (tx) => {
      const there = new Set(await lockCalls(tx, [...new Set(candidates.map(({ call }) => call))]));
      const { add, ...result } = await this.#choose(
        tx,
        candidates.filter(({ call }) => there.has(call)),
        options,
      );
      await this.#lanes.add(tx, add);
      return result;
    });
  }

  /** Which of them are queued: again, because others may have asked for the same since, and retention may have removed some. */
  async #choose(
    sql: SQL | TransactionSQL,
    candidates: readonly Candidate[],
    { plan, at }: ReplayOptions,
  ): Promise<Queued & { readonly add: readonly NewDelivery[] }> {
    const rows = await sql<{ event: string; hook: string; pending: boolean }[]>`select asked.event, asked.hook,
        exists (select 1 from deliveries d where d.event = asked.event and d.hook = asked.hook and d.state = 0) as pending
      from unnest(${bigints(
        sql,
        candidates.map(({ event }) => event),
      )}::bigint[],
          ${texts(
            sql,
            candidates.map(({ hook }) => hook),
          )}::text[]) as asked (event, hook)
        join events e on e.seq = asked.event`;
    const isPending = new Map(rows.map(({ event, hook, pending }) => [`${hook} ${event}`, pending]));
    const queued: Candidate[] = [];
    const add: NewDelivery[] = [];
    const left = { pending: 0, unwanted: 0 };
    for (const candidate of candidates) {
      const { event, call, hook, name } = candidate;
      const wanted = plan(hook, name);
      const pending = isPending.get(`${hook} ${event}`);
      if (wanted === "gone" || wanted === "unwanted") left.unwanted++;
      else if (pending === true) left.pending++;
      else if (pending === false) {
        queued.push(candidate);
        add.push({ hook, call, event, now: at, plan: wanted, replay: true });
      }
    }
    return { queued, add, ...left };
  }
}

/** A `bigint` arrives as a string. */
type Row = { event: string; call: string; hook: string; name: string; latest: number };
