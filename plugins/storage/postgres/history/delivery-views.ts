import type { SQL } from "bun";
import type { AttemptView, DeliveryDetail, DeliveryView } from "../../../../src/contracts/history";
import { eventId, roomSid } from "../../../../src/domain/ids";
import { hookName } from "../../sql/hook-name";
import { bigints } from "../array-parameters";
import { DELIVERY_STATES, deliveryStateName } from "../../sql/states";
import type { Part } from "./read-page";

/** Deliveries as the history shows them, read by their ids. */
export class DeliveryViews {
  readonly #sql: SQL;

  constructor(sql: SQL) {
    this.#sql = sql;
  }

  /** In the order of the ids; without what retention has removed meanwhile. */
  async views(ids: readonly string[]): Promise<DeliveryView[]> {
    if (ids.length === 0) return [];
    const rows = await this.#read(this.#sql`d.id = any(${bigints(this.#sql, ids)})`, null);
    const views = new Map(rows.map((row) => [row.id, toView(row)]));
    return ids.flatMap((id) => views.get(id) ?? []);
  }

  /** @param tenant whose deliveries may be seen; null: all. */
  async detail(id: number, tenant: string | null): Promise<DeliveryDetail | undefined> {
    const [detail] = await this.#withTries(await this.#read(this.#sql`d.id = ${id}`, tenant));
    return detail?.view;
  }

  /** The deliveries of each of these events, in the order in which they were made. */
  async ofEvents(seqs: readonly string[], tenant: string | null): Promise<ReadonlyMap<string, DeliveryDetail[]>> {
    if (seqs.length === 0) return new Map();
    const rows = await this.#read(this.#sql`d.event = any(${bigints(this.#sql, seqs)})`, tenant);
    const found = Map.groupBy(await this.#withTries(rows), ({ event }) => event);
    return new Map([...found].map(([event, details]) => [event, details.map(({ view }) => view)]));
  }

  async #read(which: Part, tenant: string | null): Promise<ViewRow[]> {
    const sql = this.#sql;
    return sql<
      ViewRow[]
    >`select d.id, d.event, d.state, d.hook, k.host, k.auth_id, c.room_sid, c.room_name, e.id as event_id,
        e.name, e.received_at, d.made_at, d.settled_at, d.reason, d.attempts, d.replay, l.head, l.due, latest.id as latest,
        latest.state as latest_state
      from deliveries d join lanes l on l.id = d.lane join calls c on c.id = l.call join events e on e.seq = d.event
        left join known_hooks k on k.hook = d.hook
        cross join lateral (
          select x.id, x.state from deliveries x where x.event = d.event and x.hook = d.hook
          -- An expression, so that nobody walks through all deliveries in the order of their ids.
          order by x.id + 0 desc limit 1
        ) latest
      where ${which} and (${tenant}::text is null or d.tenant = ${tenant}) order by d.id`;
  }

  async #withTries(rows: readonly ViewRow[]): Promise<{ event: string; view: DeliveryDetail }[]> {
    if (rows.length === 0) return [];
    const sql = this.#sql;
    const tries = await sql<AttemptRow[]>`select delivery, n, started_at, duration_ms, status, error, answer_start
      from attempts where delivery = any(${bigints(
        this.#sql,
        rows.map(({ id }) => id),
      )}) order by delivery, n`;
    const triesOf = Map.groupBy(tries, ({ delivery }) => delivery);
    return rows.map((row) => ({
      event: row.event,
      view: { ...toView(row), tries: (triesOf.get(row.id) ?? []).map(toAttempt) },
    }));
  }
}

/** A `bigint` arrives as a string. */
type ViewRow = {
  id: string;
  event: string;
  state: number;
  hook: string;
  host: string | null;
  auth_id: string | null;
  room_sid: string;
  room_name: string;
  event_id: string;
  name: string;
  received_at: string;
  made_at: string;
  settled_at: string | null;
  reason: string | null;
  attempts: number;
  replay: number;
  head: string | null;
  due: string | null;
  latest: string;
  latest_state: number;
};

type AttemptRow = {
  delivery: string;
  n: number;
  started_at: string;
  duration_ms: string;
  status: number | null;
  error: string | null;
  answer_start: Uint8Array | null;
};

function toView(row: ViewRow): DeliveryView {
  const pending = row.state === DELIVERY_STATES.pending;
  const isHead = pending && row.head === row.id;
  return {
    id: Number(row.id),
    state: deliveryStateName(row.state),
    hook: hookName(row.hook, row.host, row.auth_id),
    roomSid: roomSid(row.room_sid),
    roomName: row.room_name,
    eventId: eventId(row.event_id),
    eventName: row.name,
    receivedAt: Number(row.received_at),
    madeAt: Number(row.made_at),
    settledAt: numberOrNothing(row.settled_at),
    reason: row.reason ?? undefined,
    attempts: row.attempts,
    replay: row.replay === 1,
    nextTry: isHead ? numberOrNothing(row.due) : undefined,
    waitsFor: pending && !isHead ? numberOrNothing(row.head) : undefined,
    replayedBy:
      row.latest === row.id ? undefined : { id: Number(row.latest), state: deliveryStateName(row.latest_state) },
  };
}

function toAttempt(row: AttemptRow): AttemptView {
  return {
    n: row.n,
    startedAt: Number(row.started_at),
    durationMs: Number(row.duration_ms),
    status: row.status ?? undefined,
    error: row.error ?? undefined,
    answerStart: row.answer_start ?? undefined,
  };
}

export function numberOrNothing(bigint: string | null): number | undefined {
  return bigint === null ? undefined : Number(bigint);
}
