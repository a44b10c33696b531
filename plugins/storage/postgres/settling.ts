import type { TransactionSQL } from "bun";
import type { Settlement } from "../../../src/contracts/storage";
import { hookIdFrom, type HookId } from "../../../src/domain/ids";
import type { Database } from "./database";
import { LeaseEnded, type Heads } from "./heads";
import type { Lanes } from "./lanes";
import type { Lease, Leases } from "./leases";
import { JOBS_SCHEMA } from "./migrations";
import { DELIVERY_STATES } from "../sql/states";
import { shownText } from "./storable-text";

export type SettlingOptions = {
  readonly database: Database;
  readonly heads: Heads;
  readonly lanes: Lanes;
  readonly leases: Leases;
};

/** A settlement by who has the lane; the others come too late. */
type Held = Settlement & { readonly lease: Lease; readonly hook: HookId };

type LaneRow = {
  readonly id: string;
  readonly hook: string;
  readonly head: string | null;
  readonly job: string | null;
};
type DeliveryRow = { readonly id: string; readonly state: number; readonly attempts: number };
type JobRow = { readonly id: string; readonly retry_count: number };

/** Records what came of deliveries. */
export class Settling {
  readonly #options: SettlingOptions;

  constructor(options: SettlingOptions) {
    this.#options = options;
  }

  /**
   * All in one transaction: the deliveries settled, the jobs ended, the lanes' next heads sent; or all of it again when a
   * lease ended meanwhile.
   *
   * Who settles after its lease has ended has an attempt to tell of, and nothing else: whoever has the lane now goes on, and
   * may send the same again (with the same webhook-id). Only what has ended unsuccessfully becomes delivered.
   */
  async settle(settlements: readonly Settlement[]): Promise<void> {
    const { database, leases } = this.#options;
    const once = new Map(settlements.map((settlement) => [settlement.delivery.id, settlement]));
    if (once.size < settlements.length) {
      for (const settlement of settlements) await this.settle([settlement]);
      return;
    }
    const done = await database
      .transaction((tx) => this.#settleAll(tx, settlements))
      .catch((error: unknown) => {
        if (!(error instanceof LeaseEnded)) throw error;
        return database.transaction((tx) => this.#settleAll(tx, settlements));
      });
    for (const lease of done) leases.drop(lease);
  }

  /** Returns the leases that have served. */
  async #settleAll(tx: TransactionSQL, settlements: readonly Settlement[]): Promise<readonly Lease[]> {
    const leases = settlements.flatMap(({ delivery }) => this.#options.leases.get(delivery.lane) ?? []);
    const ids = (numbers: readonly number[]) => tx.array([...new Set(numbers)], "BIGINT");
    const [lanes, deliveries, jobs] = (await Promise.all([
      tx.unsafe("select id, hook, head, job from lanes where id = any($1::bigint[]) order by id for no key update", [
        ids(settlements.map(({ delivery }) => delivery.lane)),
      ]),
      tx.unsafe("select id, state, attempts from deliveries where id = any($1::bigint[])", [
        ids(settlements.map(({ delivery }) => delivery.id)),
      ]),
      tx.unsafe(`select id, retry_count from ${JOBS_SCHEMA}.job where state = 'active' and id = any($1::uuid[])`, [
        tx.array(
          leases.map(({ job }) => job.id),
          "UUID",
        ),
      ]),
    ])) as [LaneRow[], DeliveryRow[], JobRow[]];
    const laneById = new Map(lanes.map((lane) => [Number(lane.id), lane]));
    const attemptOf = new Map(jobs.map((job) => [job.id, job.retry_count]));
    const held: Held[] = [];
    const late: Settlement[] = [];
    const served: Lease[] = [];
    for (const settlement of settlements) {
      const { id, lane } = settlement.delivery;
      const lease = this.#options.leases.get(lane);
      const row = laneById.get(lane);
      const isHeld =
        lease !== undefined &&
        row?.job === lease.job.id &&
        Number(row.head) === id &&
        attemptOf.get(lease.job.id) === lease.job.retryCount;
      if (isHeld) held.push({ ...settlement, lease, hook: hookIdFrom(row.hook) });
      else late.push(settlement);
      if (lease !== undefined && (isHeld || attemptOf.get(lease.job.id) !== lease.job.retryCount)) served.push(lease);
    }
    const byId = new Map(deliveries.map((delivery) => [Number(delivery.id), delivery]));
    await Promise.all([this.#record(tx, held, byId), this.#recordLate(tx, late, byId), this.#endJobs(tx, held)]);
    await this.#moveOn(tx, held);
    return served;
  }

  async #record(tx: TransactionSQL, held: readonly Held[], known: ReadonlyMap<number, DeliveryRow>): Promise<void> {
    if (held.length === 0) return;
    const changes = held.map(({ delivery: { id }, at, attempt, outcome }) => {
      const attempts = (known.get(id)?.attempts ?? 0) + (attempt === undefined ? 0 : 1);
      if (outcome.kind === "retry") {
        const { counts, refusal } = outcome;
        return { id, attempts, state: DELIVERY_STATES.pending, failures: counts ? 1 : 0, refusals: refusal ? 1 : 0 };
      }
      const reason = outcome.kind === "dead" ? outcome.reason : null;
      return { id, attempts, state: DELIVERY_STATES[outcome.kind], failures: 0, refusals: 0, settled_at: at, reason };
    });
    await Promise.all([
      tx.unsafe(
        `update deliveries d set state = x.state, attempts = x.attempts, failures = d.failures + x.failures,
           refusals = d.refusals + x.refusals, settled_at = x.settled_at, reason = x.reason
         from json_to_recordset($1::text::json) as x (id bigint, attempts integer, state smallint, failures integer,
           refusals integer, settled_at bigint, reason text) where d.id = x.id`,
        [JSON.stringify(changes)],
      ),
      this.#addAttempts(tx, held, known),
    ]);
  }

  async #recordLate(
    tx: TransactionSQL,
    late: readonly Settlement[],
    known: ReadonlyMap<number, DeliveryRow>,
  ): Promise<void> {
    // Also what was written before by a transaction whose end nobody heard: each attempt has its beginning.
    const arrived = late
      .filter(({ outcome }) => outcome.kind === "delivered")
      .map(({ delivery, at }) => ({ id: delivery.id, at }));
    await this.#addAttempts(tx, late, known);
    if (late.length === 0) return;
    await Promise.all([
      tx.unsafe(
        `update deliveries d set attempts = (select count(*) from attempts a where a.delivery = d.id)
         where d.id = any($1::bigint[])`,
        [tx.array([...new Set(late.map(({ delivery }) => delivery.id))], "BIGINT")],
      ),
      tx.unsafe(
        `update deliveries d set state = ${DELIVERY_STATES.delivered}, settled_at = x.at, reason = null
         from json_to_recordset($1::text::json) as x (id bigint, at bigint)
         where d.id = x.id and d.state > ${DELIVERY_STATES.delivered}`,
        [JSON.stringify(arrived)],
      ),
    ]);
  }

  async #addAttempts(
    tx: TransactionSQL,
    settlements: readonly Settlement[],
    known: ReadonlyMap<number, DeliveryRow>,
  ): Promise<void> {
    const attempts = settlements.flatMap(({ delivery: { id }, attempt }) => {
      const row = known.get(id);
      if (attempt === undefined || row === undefined) return [];
      const { startedAt, durationMs, status, error, answerStart } = attempt;
      const answer = answerStart === undefined || answerStart.length === 0 ? undefined : answerStart;
      return [
        {
          delivery: id,
          n: row.attempts + 1,
          started_at: startedAt,
          duration_ms: Math.round(durationMs),
          status,
          error: error === undefined ? undefined : shownText(error),
          answer_start: answer === undefined ? undefined : Buffer.from(answer).toString("base64"),
        },
      ];
    });
    if (attempts.length === 0) return;
    await tx.unsafe(
      `insert into attempts (delivery, n, started_at, duration_ms, status, error, answer_start)
       select x.delivery, x.n, x.started_at, x.duration_ms, x.status, x.error, decode(x.answer_start, 'base64')
       from json_to_recordset($1::text::json) as x (delivery bigint, n integer, started_at bigint, duration_ms bigint,
         status integer, error text, answer_start text)
       where not exists (select 1 from attempts a where a.delivery = x.delivery and a.started_at = x.started_at)`,
      [JSON.stringify(attempts)],
    );
  }

  async #endJobs(tx: TransactionSQL, held: readonly Held[]): Promise<void> {
    const { heads } = this.#options;
    const ended = Map.groupBy(
      held.filter(({ outcome }) => outcome.kind !== "retry"),
      ({ hook }) => hook,
    );
    const postponed = Map.groupBy(held.flatMap(toPostponed), ({ hook }) => hook);
    await Promise.all([
      ...[...ended].map(([hook, some]) =>
        heads.finish(
          tx,
          hook,
          some.map(({ lease }) => lease.job),
        ),
      ),
      ...[...postponed].map(([hook, some]) => heads.postpone(tx, hook, some)),
    ]);
  }

  async #moveOn(tx: TransactionSQL, held: readonly Held[]): Promise<void> {
    const postponed = held.flatMap(toPostponed);
    if (postponed.length > 0) {
      await tx.unsafe(
        `update lanes l set due = x.due, wait = x.wait
         from json_to_recordset($1::text::json) as x (lane bigint, due bigint, wait bigint) where l.id = x.lane`,
        [JSON.stringify(postponed.map(({ lane, due, wait }) => ({ lane, due, wait })))],
      );
    }
    const ended = held.filter(({ outcome }) => outcome.kind !== "retry");
    await this.#options.lanes.moveOn(tx, new Map(ended.map(({ delivery, at }) => [delivery.lane, at])));
  }
}

function toPostponed({ outcome, lease, hook, at, delivery }: Held) {
  if (outcome.kind !== "retry") return [];
  return [
    {
      hook,
      lane: delivery.lane,
      job: lease.job,
      due: outcome.dueAt,
      wait: Math.round(outcome.wait),
      waitMs: outcome.dueAt - at,
    },
  ];
}
