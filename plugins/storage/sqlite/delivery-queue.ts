import type { Database } from "bun:sqlite";
import type { AttemptRecord, Claim, ClaimOptions, PendingDelivery, Settlement } from "../../../src/contracts/storage";
import { eventId, hookIdFrom, roomSid, type HookId } from "../../../src/domain/ids";
import { DELIVERY_STATES } from "./schema";

type NewDelivery = {
  readonly hook: HookId;
  readonly call: number;
  readonly event: number;
  readonly now: number;
  /** False: the hook is gone, and the delivery is made cancelled, so that it can be seen. */
  readonly active: boolean;
};

type CancelledLane = { readonly id: number; readonly cancel_to: number };

/** Cancelled in one transaction: 500 rows block the thread for less than 10 ms (measured). */
const CANCEL_CHUNK = 500;

/** The lanes and their deliveries. */
export class DeliveryQueue {
  readonly #statements;
  readonly #settleAll: (settlements: readonly Settlement[]) => void;
  readonly #cancelChunk: (lane: CancelledLane, at: number) => number;

  constructor(db: Database) {
    this.#statements = prepareStatements(db);
    this.#settleAll = db.transaction((settlements: readonly Settlement[]) => {
      for (const settlement of settlements) this.#settleOne(settlement);
    }).immediate;
    this.#cancelChunk = db.transaction((lane: CancelledLane, at: number) => this.#cancelSome(lane, at)).immediate;
  }

  /** Adds a delivery at the end of its lane; call it inside a transaction. */
  add({ hook, call, event, now, active }: NewDelivery): void {
    const lane = this.#statements.lane.get(hook, call);
    if (lane === null) throw new Error("insert returned no lane");
    if (!active) {
      this.#statements.insertCancelled.run(lane.id, event, now);
      return;
    }
    const { lastInsertRowid } = this.#statements.insert.run(lane.id, event);
    if (lane.head === null) this.#statements.setHead.run(Number(lastInsertRowid), now, lane.id);
  }

  waitingHooks(): HookId[] {
    return this.#statements.waiting.all().map((row) => hookIdFrom(row.hook));
  }

  claim(hook: HookId, { now, limit, busy }: ClaimOptions): Claim {
    // Lanes that are busy are still due here: read as many more, so that `limit` free ones are seen.
    const due = this.#statements.due.all(hook, limit + busy.size + 1).filter((row) => !busy.has(row.lane));
    const ready = due.filter((row) => row.due <= now).slice(0, limit);
    return { deliveries: ready.map(toPendingDelivery), nextDue: due[ready.length]?.due };
  }

  settle(settlements: readonly Settlement[]): void {
    this.#settleAll(settlements);
  }

  /** Takes everything pending for the hook out of the lanes at once, then marks it in chunks between other work. */
  async cancel(hook: HookId, at: number): Promise<number> {
    this.#statements.cancelLanes.run(hook);
    return this.finishCancellations(at);
  }

  /** Marks what `cancel` took out of the lanes; also what was left of it by an earlier run. */
  async finishCancellations(at: number): Promise<number> {
    let cancelled = 0;
    for (;;) {
      const lane = this.#statements.cancelledLane.get();
      if (lane === null) return cancelled;
      cancelled += this.#cancelChunk(lane, at);
      await new Promise(setImmediate);
    }
  }

  #settleOne({ delivery, at, attempt, outcome }: Settlement): void {
    const row = this.#statements.delivery.get(delivery.id);
    if (row === null) return;
    const attempts = row.attempts + (attempt === undefined ? 0 : 1);
    if (attempt !== undefined) this.#insertAttempt(delivery.id, attempts, attempt);
    if (outcome.kind === "retry") {
      this.#statements.count.run(attempts, outcome.refusal ? 1 : 0, delivery.id);
      this.#statements.postpone.run(outcome.dueAt, delivery.lane, delivery.id);
      return;
    }
    // A delivery that was cancelled while its attempt was under way stays so, unless it arrived after all.
    const cancelled = row.state === DELIVERY_STATES.cancelled && outcome.kind !== "delivered";
    const state = cancelled ? DELIVERY_STATES.cancelled : DELIVERY_STATES[outcome.kind];
    this.#statements.end.run(state, attempts, at, outcome.kind === "dead" ? outcome.reason : null, delivery.id);
    this.#moveOn(delivery, at);
  }

  #moveOn({ id, lane }: Pick<PendingDelivery, "id" | "lane">, at: number): void {
    const next = this.#statements.next.get(lane)?.id ?? null;
    this.#statements.advance.run(next, next === null ? null : at, lane, id);
  }

  #insertAttempt(delivery: number, n: number, attempt: AttemptRecord): void {
    this.#statements.insertAttempt.run(
      delivery,
      n,
      attempt.startedAt,
      Math.round(attempt.durationMs),
      attempt.status ?? null,
      attempt.error ?? null,
      attempt.answerStart === undefined || attempt.answerStart.length === 0 ? null : attempt.answerStart,
    );
  }

  #cancelSome({ id, cancel_to }: CancelledLane, at: number): number {
    const { changes } = this.#statements.cancelDeliveries.run(at, id, cancel_to, CANCEL_CHUNK);
    if (changes < CANCEL_CHUNK) this.#statements.laneCancelled.run(id, cancel_to);
    return changes;
  }
}

type DueRow = {
  id: number;
  lane: number;
  due: number;
  hook: string;
  room_sid: string;
  event_id: string;
  name: string;
  content_type: string;
  body: Uint8Array;
  received_at: number;
  attempts: number;
  refusals: number;
};

function toPendingDelivery(row: DueRow): PendingDelivery {
  return {
    id: row.id,
    lane: row.lane,
    hook: hookIdFrom(row.hook),
    roomSid: roomSid(row.room_sid),
    eventId: eventId(row.event_id),
    eventName: row.name,
    contentType: row.content_type,
    body: row.body,
    receivedAt: row.received_at,
    attempts: row.attempts,
    refusals: row.refusals,
  };
}

function prepareStatements(db: Database) {
  return {
    lane: db.query<{ id: number; head: number | null }, [string, number]>(
      // Without an assignment a conflict would return no row.
      "insert into lanes (hook, call) values (?, ?) on conflict (hook, call) do update set call = excluded.call " +
        "returning id, head",
    ),
    insert: db.query<unknown, [number, number]>(
      `insert into deliveries (lane, event, state) values (?, ?, ${DELIVERY_STATES.pending})`,
    ),
    insertCancelled: db.query<unknown, [number, number, number]>(
      "insert into deliveries (lane, event, state, settled_at, reason) " +
        `values (?, ?, ${DELIVERY_STATES.cancelled}, ?, 'the hook is gone')`,
    ),
    setHead: db.query<unknown, [number, number, number]>("update lanes set head = ?, due = ? where id = ?"),
    waiting: db.query<{ hook: string }, []>("select distinct hook from lanes where due is not null"),
    due: db.query<DueRow, [string, number]>(
      "select d.id, l.id as lane, l.due, l.hook, c.room_sid, e.id as event_id, e.name, e.content_type, e.body, " +
        "e.received_at, d.attempts, d.refusals from lanes l join deliveries d on d.id = l.head " +
        "join events e on e.seq = d.event join calls c on c.id = l.call " +
        "where l.hook = ? and l.due is not null order by l.due limit ?",
    ),
    delivery: db.query<{ state: number; attempts: number }, [number]>(
      "select state, attempts from deliveries where id = ?",
    ),
    insertAttempt: db.query<unknown, [number, number, number, number, number | null, string | null, Uint8Array | null]>(
      "insert into attempts (delivery, n, started_at, duration_ms, status, error, answer_start) " +
        "values (?, ?, ?, ?, ?, ?, ?)",
    ),
    count: db.query<unknown, [number, number, number]>(
      "update deliveries set attempts = ?, refusals = refusals + ? where id = ?",
    ),
    // Only while it is still the lane's head: a cancelled one is not.
    postpone: db.query<unknown, [number, number, number]>("update lanes set due = ? where id = ? and head = ?"),
    end: db.query<unknown, [number, number, number, string | null, number]>(
      "update deliveries set state = ?, attempts = ?, settled_at = ?, reason = ? where id = ?",
    ),
    next: db.query<{ id: number | null }, [number]>(
      "select min(d.id) as id from deliveries d join lanes l on l.id = d.lane " +
        "where d.lane = ? and d.state = 0 and d.id > coalesce(l.cancel_to, 0)",
    ),
    advance: db.query<unknown, [number | null, number | null, number, number]>(
      "update lanes set head = ?, due = ? where id = ? and head = ?",
    ),
    cancelLanes: db.query<unknown, [string]>(
      "update lanes set head = null, due = null, cancel_to = (select max(id) from deliveries) " +
        "where hook = ? and head is not null",
    ),
    cancelledLane: db.query<CancelledLane, []>("select id, cancel_to from lanes where cancel_to is not null limit 1"),
    cancelDeliveries: db.query<unknown, [number, number, number, number]>(
      `update deliveries set state = ${DELIVERY_STATES.cancelled}, settled_at = ?, reason = 'the hook was deleted' ` +
        "where id in (select id from deliveries where lane = ? and state = 0 and id <= ? order by id limit ?)",
    ),
    laneCancelled: db.query<unknown, [number, number]>(
      "update lanes set cancel_to = null where id = ? and cancel_to = ?",
    ),
  };
}
