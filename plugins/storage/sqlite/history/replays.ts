import type { Database } from "bun:sqlite";
import type { DeliveryState, ReplayOptions, ReplayResult, ReplaySelection } from "../../../../src/contracts/history";
import { hookIdFrom, type HookId } from "../../../../src/domain/ids";
import type { DeliveryQueue } from "../delivery-queue";
import type { DeliveryScan } from "./delivery-scan";
import { takePage } from "../../sql/take-page";
import { deliveryStateName } from "../../sql/states";
import { tenantOf } from "../../sql/tenant-of";
import { prepare } from "../prepare";

/** An event and a hook that gets it again. */
type Candidate = { readonly event: number; readonly call: number; readonly hook: HookId; readonly name: string };

type Outcome = "queued" | "pending" | "unwanted";

export type ReplaysOptions = {
  readonly db: Database;
  readonly scan: DeliveryScan;
  readonly queue: DeliveryQueue;
  /** Runs what writes. */
  readonly write: <Result>(run: () => Result) => Result;
};

type Row = { event: number; call: number; hook: string; name: string; latest: number };

/** Looked at, and queued, without a pause: some milliseconds each. */
const READ_AT_A_TIME = 200;
const QUEUED_AT_A_TIME = 100;

type Tally = { readonly candidates: Map<string, Candidate>; readonly pending: Set<string>; next: string | undefined };

/** Queues deliveries again. */
export class Replays {
  readonly #scan: DeliveryScan;
  readonly #statements;
  readonly #write;
  readonly #queueSome;

  constructor({ db, scan, queue, write }: ReplaysOptions) {
    this.#scan = scan;
    this.#write = write;
    this.#statements = prepareStatements(db);
    this.#queueSome = db.transaction((candidates: readonly Candidate[], options: ReplayOptions) =>
      candidates.map((candidate) => ({ hook: candidate.hook, outcome: this.#queueOne(candidate, options, queue) })),
    ).immediate;
  }

  /** @throws AppError `invalid_cursor` */
  async replay(selection: ReplaySelection, options: ReplayOptions): Promise<ReplayResult> {
    const { candidates, pending, next } =
      selection.kind === "delivery" ? this.#one(selection) : await this.#collect(selection);
    // The order in which the events were kept, also where an earlier replay has made another one.
    const ordered = [...candidates.values()].toSorted((a, b) => a.event - b.event);
    const counts = { queued: 0, pending: pending.size, unwanted: 0 };
    const hooks = new Set<HookId>();
    for (let from = 0; from < ordered.length; from += QUEUED_AT_A_TIME) {
      if (from > 0) await new Promise(setImmediate);
      const some = ordered.slice(from, from + QUEUED_AT_A_TIME);
      for (const { outcome, hook } of this.#write(() => this.#queueSome(some, options))) {
        counts[outcome]++;
        if (outcome === "queued") hooks.add(hook);
      }
    }
    return { ...counts, hooks: [...hooks], next };
  }

  #one({ id, viewer }: Extract<ReplaySelection, { kind: "delivery" }>): Tally {
    const tally: Tally = { candidates: new Map(), pending: new Set(), next: undefined };
    this.#consider(id, tenantOf(viewer), undefined, tally);
    return tally;
  }

  async #collect({ filter, limit, after }: Extract<ReplaySelection, { kind: "filter" }>): Promise<Tally> {
    const tally: Tally = { candidates: new Map(), pending: new Set(), next: after };
    const tenant = tenantOf(filter.viewer);
    let seen = 0;
    do {
      const count = Math.min(READ_AT_A_TIME, limit - seen);
      const { entries, next } = takePage(this.#scan.rows(filter, "oldest", tally.next), count);
      for (const { id } of entries) this.#consider(id, tenant, filter.states, tally);
      tally.next = next;
      seen += entries.length;
      await new Promise(setImmediate);
    } while (tally.next !== undefined && seen < limit);
    return tally;
  }

  #consider(id: number, tenant: string | null, states: readonly DeliveryState[] | undefined, tally: Tally): void {
    const row = this.#statements.row.get(id, tenant);
    if (row === null) return;
    const key = `${row.hook} ${row.event}`;
    const state = deliveryStateName(this.#statements.stateOf.get(row.latest)?.state ?? 0);
    if (state === "pending") tally.pending.add(key);
    else if (states === undefined || states.includes(state)) {
      const { event, call, name } = row;
      tally.candidates.set(key, { event, call, name, hook: hookIdFrom(row.hook) });
    }
  }

  #queueOne(candidate: Candidate, { plan, at, dryRun }: ReplayOptions, queue: DeliveryQueue): Outcome {
    const wanted = plan(candidate.hook, candidate.name);
    if (wanted === "gone" || wanted === "unwanted") return "unwanted";
    // Again, because others may have asked for the same between two steps.
    if (this.#statements.pending.get(candidate.event, candidate.hook) !== null) return "pending";
    if (!dryRun) queue.add({ ...candidate, now: at, plan: wanted, replay: true });
    return "queued";
  }
}

function prepareStatements(db: Database) {
  return {
    row: prepare<Row, [number, string | null]>(
      db,
      `select d.event, l.call, d.hook, e.name,
         (select max(x.id) from deliveries x where x.event = d.event and x.hook = d.hook) as latest
       from deliveries d join lanes l on l.id = d.lane join events e on e.seq = d.event
       where d.id = ?1 and (?2 is null or d.tenant = ?2)`,
    ),
    stateOf: prepare<{ state: number }, [number]>(db, "select state from deliveries where id = ?"),
    pending: prepare<{ id: number }, [number, string]>(
      db,
      "select id from deliveries where event = ? and hook = ? and state = 0",
    ),
  };
}
