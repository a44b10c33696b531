import type { Database } from "bun:sqlite";
import type {
  AttemptRecord,
  Claim,
  ClaimOptions,
  DeliveryPlan,
  PendingDelivery,
  Settlement,
} from "../../../src/contracts/storage";
import { eventId, hookIdFrom, roomSid, type HookId } from "../../../src/domain/ids";
import { DELIVERY_STATES } from "./states";

type NewDelivery = {
  readonly hook: HookId;
  readonly call: number;
  readonly event: number;
  readonly now: number;
  readonly plan: Exclude<DeliveryPlan, "unwanted">;
  readonly replay?: boolean;
};

export type LanesOf = { readonly hook: HookId } | { readonly call: number; readonly tenant: string | null };

type CancelledLane = { readonly id: number; readonly cancel_to: number };

/** Cancelled in one transaction: 500 rows block the thread for less than 10 ms (measured). */
const CANCEL_CHUNK = 500;
/** Moving 50,000 lanes at once blocks for 120 ms (measured). */
const LANES_AT_A_TIME = 1_000;

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
  add({ hook, call, event, now, plan, replay = false }: NewDelivery): void {
    const lane = this.#statements.lane.get(hook, call, plan === "unordered" ? event : 0);
    if (lane === null) throw new Error("insert returned no lane");
    if (plan === "gone") {
      this.#statements.insertCancelled.run(lane.id, event, now, hook);
      return;
    }
    const { lastInsertRowid } = this.#statements.insert.run(lane.id, event, replay ? 1 : 0, hook, now);
    if (lane.head === null) this.#statements.setHead.run(Number(lastInsertRowid), now, lane.id);
  }

  waitingHooks(): HookId[] {
    return this.#statements.waiting.all().map((row) => hookIdFrom(row.hook));
  }

  claim(hook: HookId, { now, limit, busy }: ClaimOptions): Claim {
    // Lanes that are busy are still due here: read as many more, so that `limit` free ones are seen.
    const lanes = this.#statements.nextLanes.all(hook, limit + busy.size + 1).filter((row) => !busy.has(row.id));
    const ready = lanes.filter((row) => row.due <= now).slice(0, limit);
    const deliveries = ready.flatMap((row) => this.#statements.head.get(row.id) ?? []).map(toPendingDelivery);
    return { deliveries, nextDue: lanes[ready.length]?.due };
  }

  /** Makes every lane of the hook due that waits for a retry. */
  async makeDue(hook: HookId, at: number): Promise<number> {
    let made = 0;
    for (;;) {
      const { changes } = this.#statements.makeDue.run(at, hook, at, LANES_AT_A_TIME);
      made += changes;
      if (changes < LANES_AT_A_TIME) return made;
      await new Promise(setImmediate);
    }
  }

  settle(settlements: readonly Settlement[]): void {
    this.#settleAll(settlements);
  }

  /** Takes everything pending for the hook out of the lanes at once, then marks it in chunks between other work. */
  async cancel(hook: HookId, at: number): Promise<number> {
    this.#statements.cancelLanes.run("the hook was deleted", hook);
    return this.finishCancellations(at);
  }

  /** The same for some lanes of a hook or a call, with a reason of one's own; `tenant`: of its hooks only. */
  async cancelLanes(of: LanesOf, reason: string, at: number): Promise<number> {
    if ("hook" in of) this.#statements.cancelLanes.run(reason, of.hook);
    else this.#statements.cancelLanesOfCall.run(reason, of.call, of.tenant);
    return this.finishCancellations(at);
  }

  /** Cancels one delivery if it is pending, and moves its lane on; call it inside a transaction. */
  cancelOne(id: number, tenant: string | null, reason: string, at: number): boolean {
    const cancelled = this.#statements.cancelOne.get(at, reason, id, tenant);
    if (cancelled === null) return false;
    this.#moveOn({ id, lane: cancelled.lane }, at);
    return true;
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
      this.#statements.count.run(attempts, outcome.counts ? 1 : 0, outcome.refusal ? 1 : 0, delivery.id);
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

type HeadRow = {
  id: number;
  lane: number;
  hook: string;
  room_sid: string;
  event_id: string;
  name: string;
  content_type: string;
  body: Uint8Array;
  received_at: number;
  attempts: number;
  failures: number;
  refusals: number;
  replay: number;
};

function toPendingDelivery(row: HeadRow): PendingDelivery {
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
    failures: row.failures,
    refusals: row.refusals,
    replay: row.replay === 1,
  };
}

function prepareStatements(db: Database) {
  return {
    lane: db.query<{ id: number; head: number | null }, [string, number, number]>(
      // Without an assignment a conflict would return no row.
      "insert into lanes (hook, call, part) values (?, ?, ?) on conflict (hook, call, part) do update set call = excluded.call " +
        "returning id, head",
    ),
    insert: db.query<unknown, [number, number, number, string, number]>(
      "insert into deliveries (lane, event, state, replay, hook, made_at, tenant) " +
        `values (?1, ?2, ${DELIVERY_STATES.pending}, ?3, ?4, ?5, (select auth_id from known_hooks where hook = ?4))`,
    ),
    insertCancelled: db.query<unknown, [number, number, number, string]>(
      "insert into deliveries (lane, event, state, settled_at, reason, made_at, hook, tenant) " +
        `values (?1, ?2, ${DELIVERY_STATES.cancelled}, ?3, 'the hook is gone', ?3, ?4, ` +
        "(select auth_id from known_hooks where hook = ?4))",
    ),
    setHead: db.query<unknown, [number, number, number]>("update lanes set head = ?, due = ? where id = ?"),
    waiting: db.query<{ hook: string }, []>("select distinct hook from lanes where due is not null"),
    // Answered by the index alone, in its order (`id` is the rowid at its end): bodies are read of what goes out only.
    nextLanes: db.query<{ id: number; due: number }, [string, number]>(
      "select id, due from lanes where hook = ? and due is not null order by due, id limit ?",
    ),
    head: db.query<HeadRow, [number]>(
      "select d.id, l.id as lane, l.hook, c.room_sid, e.id as event_id, e.name, e.content_type, e.body, " +
        // The age of what was asked for again counts from then.
        "case d.replay when 1 then d.made_at else e.received_at end as received_at, " +
        "d.attempts, d.failures, d.refusals, d.replay from lanes l join deliveries d on d.id = l.head " +
        "join events e on e.seq = d.event join calls c on c.id = l.call where l.id = ?",
    ),
    delivery: db.query<{ state: number; attempts: number }, [number]>(
      "select state, attempts from deliveries where id = ?",
    ),
    insertAttempt: db.query<unknown, [number, number, number, number, number | null, string | null, Uint8Array | null]>(
      "insert into attempts (delivery, n, started_at, duration_ms, status, error, answer_start) " +
        "values (?, ?, ?, ?, ?, ?, ?)",
    ),
    count: db.query<unknown, [number, number, number, number]>(
      "update deliveries set attempts = ?, failures = failures + ?, refusals = refusals + ? where id = ?",
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
    makeDue: db.query<unknown, [number, string, number, number]>(
      "update lanes set due = ? where id in (select id from lanes where hook = ? and due > ? limit ?)",
    ),
    cancelLanes: db.query<unknown, [string, string]>(
      "update lanes set head = null, due = null, cancel_to = (select max(id) from deliveries), cancel_reason = ? " +
        "where hook = ? and due is not null",
    ),
    cancelLanesOfCall: db.query<unknown, [string, number, string | null]>(
      "update lanes set head = null, due = null, cancel_to = (select max(id) from deliveries), cancel_reason = ?1 " +
        "where call = ?2 and due is not null " +
        "and (?3 is null or hook in (select hook from known_hooks where auth_id = ?3))",
    ),
    cancelOne: db.query<{ lane: number }, [number, string, number, string | null]>(
      `update deliveries set state = ${DELIVERY_STATES.cancelled}, settled_at = ?1, reason = ?2 ` +
        `where id = ?3 and state = ${DELIVERY_STATES.pending} and (?4 is null or tenant = ?4) returning lane`,
    ),
    cancelledLane: db.query<CancelledLane, []>("select id, cancel_to from lanes where cancel_to is not null limit 1"),
    cancelDeliveries: db.query<unknown, [number, number, number, number]>(
      `update deliveries set state = ${DELIVERY_STATES.cancelled}, settled_at = ?1, ` +
        "reason = (select coalesce(cancel_reason, 'the hook was deleted') from lanes where id = ?2) " +
        "where id in (select id from deliveries where lane = ?2 and state = 0 and id <= ?3 order by id limit ?4)",
    ),
    laneCancelled: db.query<unknown, [number, number]>(
      "update lanes set cancel_to = null where id = ? and cancel_to = ?",
    ),
  };
}
