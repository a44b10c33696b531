import type { Database } from "bun:sqlite";
import type { AttemptView, DeliveryDetail, DeliveryView } from "../../../../src/contracts/history";
import { eventId, roomSid } from "../../../../src/domain/ids";
import { hookName } from "../../sql/hook-name";
import { DELIVERY_STATES, deliveryStateName } from "../../sql/states";
import { prepare } from "../prepare";

/** Deliveries as the history shows them, read one by one by their id. */
export class DeliveryViews {
  readonly #statements;

  constructor(db: Database) {
    this.#statements = prepareStatements(db);
  }

  /** @param tenant whose deliveries may be seen; null: all. */
  view(id: number, tenant: string | null): DeliveryView | undefined {
    const row = this.#statements.view.get(id, tenant);
    return row === null ? undefined : this.#toView(row);
  }

  detail(id: number, tenant: string | null): DeliveryDetail | undefined {
    const view = this.view(id, tenant);
    return view === undefined ? undefined : { ...view, tries: this.#statements.attempts.all(id).map(toAttempt) };
  }

  /** All deliveries of an event, in the order in which they were made. */
  ofEvent(seq: number, tenant: string | null): DeliveryDetail[] {
    return this.#statements.ofEvent.all(seq, tenant).flatMap(({ id }) => this.detail(id, tenant) ?? []);
  }

  #toView(row: ViewRow): DeliveryView {
    const pending = row.state === DELIVERY_STATES.pending;
    const isHead = pending && row.head === row.id;
    const latest = row.latest === row.id ? null : this.#statements.stateOf.get(row.latest);
    return {
      id: row.id,
      state: deliveryStateName(row.state),
      hook: hookName(row.hook, row.host, row.auth_id),
      roomSid: roomSid(row.room_sid),
      roomName: row.room_name,
      eventId: eventId(row.event_id),
      eventName: row.name,
      receivedAt: row.received_at,
      madeAt: row.made_at,
      settledAt: row.settled_at ?? undefined,
      reason: row.reason ?? undefined,
      attempts: row.attempts,
      replay: row.replay === 1,
      nextTry: isHead ? (row.due ?? undefined) : undefined,
      waitsFor: pending && !isHead ? (row.head ?? undefined) : undefined,
      replayedBy: latest === null ? undefined : { id: row.latest, state: deliveryStateName(latest.state) },
    };
  }
}

type ViewRow = {
  id: number;
  state: number;
  hook: string;
  host: string | null;
  auth_id: string | null;
  room_sid: string;
  room_name: string;
  event_id: string;
  name: string;
  received_at: number;
  made_at: number;
  settled_at: number | null;
  reason: string | null;
  attempts: number;
  replay: number;
  head: number | null;
  due: number | null;
  latest: number;
};

type AttemptRow = {
  n: number;
  started_at: number;
  duration_ms: number;
  status: number | null;
  error: string | null;
  answer_start: Uint8Array | null;
};

function toAttempt(row: AttemptRow): AttemptView {
  return {
    n: row.n,
    startedAt: row.started_at,
    durationMs: row.duration_ms,
    status: row.status ?? undefined,
    error: row.error ?? undefined,
    answerStart: row.answer_start ?? undefined,
  };
}

function prepareStatements(db: Database) {
  return {
    view: prepare<ViewRow, [number, string | null]>(
      db,
      `select d.id, d.state, d.hook, k.host, k.auth_id, c.room_sid, c.room_name, e.id as event_id, e.name, e.received_at,
         d.made_at, d.settled_at, d.reason, d.attempts, d.replay, l.head, l.due,
         (select max(x.id) from deliveries x where x.event = d.event and x.hook = d.hook) as latest
       from deliveries d join lanes l on l.id = d.lane join calls c on c.id = l.call join events e on e.seq = d.event
         left join known_hooks k on k.hook = d.hook
       where d.id = ?1 and (?2 is null or d.tenant = ?2)`,
    ),
    stateOf: prepare<{ state: number }, [number]>(db, "select state from deliveries where id = ?"),
    attempts: prepare<AttemptRow, [number]>(
      db,
      "select n, started_at, duration_ms, status, error, answer_start from attempts where delivery = ? order by n",
    ),
    ofEvent: prepare<{ id: number }, [number, string | null]>(
      db,
      "select id from deliveries where event = ?1 and (?2 is null or tenant = ?2) order by id",
    ),
  };
}
