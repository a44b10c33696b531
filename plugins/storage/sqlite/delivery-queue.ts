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
import { DELIVERY_STATES } from "../sql/states";
import { prepare } from "./prepare";

type NewDelivery = {
  readonly hook: HookId;
  readonly call: number;
  /** Lanes of the call that are known, by their hooks; it is added to. */
  readonly lanes?: Map<HookId, number>;
  readonly event: number;
  readonly now: number;
  readonly plan: Exclude<DeliveryPlan, "unwanted">;
  readonly replay?: boolean;
};

/** Moving 50,000 lanes at once blocks for 120 ms (measured). */
const LANES_AT_A_TIME = 1_000;

/** The lanes and their deliveries. */
export class DeliveryQueue {
  readonly #statements;
  readonly #settleAll: (settlements: readonly Settlement[]) => void;
  /** The last delivery's; both never go back, so that ids are in the order of times. */
  #lastId: number;
  #lastMadeAt: number;

  constructor(db: Database) {
    this.#statements = prepareStatements(db);
    const last = this.#statements.last.get();
    this.#lastId = Math.max(last?.id ?? 0, this.#statements.usedIds.get()?.used ?? 0);
    this.#lastMadeAt = last?.made_at ?? 0;
    this.#settleAll = db.transaction((settlements: readonly Settlement[]) => {
      for (const settlement of settlements) this.#settleOne(settlement);
    }).immediate;
  }

  /** No delivery has a greater id. */
  get lastId(): number {
    return this.#lastId;
  }

  /** Adds a delivery at the end of its lane; call it inside a transaction. */
  add({ hook, call, lanes, event, now, plan, replay = false }: NewDelivery): void {
    const id = ++this.#lastId;
    this.#lastMadeAt = Math.max(this.#lastMadeAt, now);
    const lane = this.#laneOf(hook, call, plan === "unordered" ? event : 0, lanes);
    if (plan === "gone") {
      this.#statements.insertCancelled.run(id, lane, event, this.#lastMadeAt, hook, now);
      return;
    }
    const isHead = this.#statements.setHead.run(id, now, lane).changes > 0;
    this.#statements.insert.run(id, lane, event, replay ? 1 : 0, hook, this.#lastMadeAt, isHead ? 0 : 1);
  }

  #laneOf(hook: HookId, call: number, part: number, lanes: Map<HookId, number> | undefined): number {
    const known = part === 0 ? lanes?.get(hook) : undefined;
    if (known !== undefined) return known;
    const lane = this.#statements.lane.get(hook, call, part);
    if (lane === null) throw new Error("insert returned no lane");
    if (part === 0) lanes?.set(hook, lane.id);
    return lane.id;
  }

  waitingHooks(): HookId[] {
    return this.#statements.waiting.all().map((row) => hookIdFrom(row.hook));
  }

  claim(hook: HookId, { now, limit, busy }: ClaimOptions): Claim {
    // Lanes that are busy are still due here: read as many more, so that `limit` free ones are seen.
    const lanes = this.#statements.nextLanes.all(hook, limit + busy.size + 1).filter((row) => !busy.has(row.id));
    const ready = lanes.filter((row) => row.due <= now).slice(0, limit);
    return { deliveries: ready.flatMap((row) => this.#read(hook, row) ?? []), nextDue: lanes[ready.length]?.due };
  }

  #read(hook: HookId, { id: lane, head }: DueLane): PendingDelivery | undefined {
    const row = this.#statements.delivery.get(head);
    if (row === null) return undefined;
    return {
      id: head,
      lane,
      hook,
      roomSid: roomSid(row.room_sid),
      eventId: eventId(row.event_id),
      eventName: row.name,
      contentType: row.content_type,
      body: row.body,
      // The age of what was asked for again counts from then.
      receivedAt: row.replay === 1 ? row.made_at : row.received_at,
      attempts: row.attempts,
      failures: row.failures,
      refusals: row.refusals,
      replay: row.replay === 1,
    };
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

  /** See `Storage.limitWaits`. */
  async limitWaits(hook: HookId, now: number): Promise<void> {
    while (this.#statements.limitWaits.run(now, hook, LANES_AT_A_TIME).changes === LANES_AT_A_TIME) {
      await new Promise(setImmediate);
    }
  }

  settle(settlements: readonly Settlement[]): void {
    this.#settleAll(settlements);
  }

  /** Cancels one delivery if it is pending, and moves its lane on; call it inside a transaction. */
  cancelOne(id: number, tenant: string | null, reason: string, at: number): boolean {
    const cancelled = this.#statements.cancelOne.get(at, reason, id, tenant);
    if (cancelled === null) return false;
    this.#moveOn({ id, lane: cancelled.lane }, at);
    return true;
  }

  #settleOne({ delivery, at, attempt, outcome }: Settlement): void {
    const tries = attempt === undefined ? 0 : 1;
    if (outcome.kind === "retry") {
      const counted = [tries, outcome.counts ? 1 : 0, outcome.refusal ? 1 : 0, delivery.id] as const;
      const row = this.#statements.count.get(...counted);
      if (row === null) return;
      if (attempt !== undefined) this.#insertAttempt(delivery.id, row.attempts, attempt);
      this.#statements.postpone.run(outcome.dueAt, outcome.wait, delivery.lane, delivery.id);
      return;
    }
    const reason = outcome.kind === "dead" ? outcome.reason : null;
    const row = this.#statements.end.get(DELIVERY_STATES[outcome.kind], tries, at, reason, delivery.id);
    if (row === null) return;
    if (attempt !== undefined) this.#insertAttempt(delivery.id, row.attempts, attempt);
    this.#moveOn(delivery, at);
  }

  /** Does nothing for a delivery that is not its lane's head any more. */
  #moveOn({ id, lane }: Pick<PendingDelivery, "id" | "lane">, at: number): void {
    const cancelledTo = this.#statements.cancelledTo.get(lane)?.cancel_to ?? 0;
    const next = this.#statements.next.get(lane, cancelledTo)?.id ?? null;
    const { changes } = this.#statements.advance.run(next, next === null ? null : at, lane, id);
    if (next !== null && changes > 0) this.#statements.stopWaiting.run(next);
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
}

type DueLane = { id: number; due: number; head: number };
type DeliveryRow = {
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
  made_at: number;
};

function prepareStatements(db: Database) {
  return {
    last: prepare<{ id: number; made_at: number }, []>(
      db,
      "select id, made_at from deliveries where id = (select max(id) from deliveries)",
    ),
    usedIds: prepare<{ used: number }, []>(db, "select used from delivery_ids where id = 1"),
    lane: prepare<{ id: number }, [string, number, number]>(
      db,
      // Without an assignment a conflict would return no row.
      "insert into lanes (hook, call, part) values (?, ?, ?) on conflict (hook, call, part) do update set call = excluded.call " +
        "returning id",
    ),
    insert: prepare<unknown, [number, number, number, number, string, number, number]>(
      db,
      "insert into deliveries (id, lane, event, state, replay, hook, made_at, waiting, tenant) " +
        `values (?1, ?2, ?3, ${DELIVERY_STATES.pending}, ?4, ?5, ?6, ?7, (select auth_id from known_hooks where hook = ?5))`,
    ),
    insertCancelled: prepare<unknown, [number, number, number, number, string, number]>(
      db,
      "insert into deliveries (id, lane, event, state, settled_at, reason, made_at, hook, tenant) " +
        `values (?1, ?2, ?3, ${DELIVERY_STATES.cancelled}, ?6, 'the hook is gone', ?4, ?5, ` +
        "(select auth_id from known_hooks where hook = ?5))",
    ),
    setHead: prepare<unknown, [number, number, number]>(
      db,
      "update lanes set head = ?, due = ?, wait = null where id = ? and head is null",
    ),
    waiting: prepare<{ hook: string }, []>(db, "select distinct hook from lanes where due is not null"),
    // In the index's order (`id` is the rowid at its end): bodies are read of what goes out only.
    nextLanes: prepare<DueLane, [string, number]>(
      db,
      "select id, due, head from lanes where hook = ? and due is not null order by due, id limit ?",
    ),
    delivery: prepare<DeliveryRow, [number]>(
      db,
      "select c.room_sid, e.id as event_id, e.name, e.content_type, e.body, e.received_at, d.attempts, d.failures, " +
        "d.refusals, d.replay, d.made_at from deliveries d cross join lanes l on l.id = d.lane " +
        "cross join calls c on c.id = l.call cross join events e on e.seq = d.event where d.id = ?",
    ),
    insertAttempt: prepare<unknown, [number, number, number, number, number | null, string | null, Uint8Array | null]>(
      db,
      "insert into attempts (delivery, n, started_at, duration_ms, status, error, answer_start) " +
        "values (?, ?, ?, ?, ?, ?, ?)",
    ),
    count: prepare<{ attempts: number }, [number, number, number, number]>(
      db,
      "update deliveries set attempts = attempts + ?, failures = failures + ?, refusals = refusals + ? where id = ? " +
        "returning attempts",
    ),
    // Only while it is still the lane's head: a cancelled one is not.
    postpone: prepare<unknown, [number, number, number, number]>(
      db,
      "update lanes set due = ?, wait = ? where id = ? and head = ?",
    ),
    // A delivery that was cancelled while its attempt was under way stays so, unless it arrived after all.
    end: prepare<{ attempts: number }, [number, number, number, string | null, number]>(
      db,
      `update deliveries set state = case when state = ${DELIVERY_STATES.cancelled} and ?1 <> ${DELIVERY_STATES.delivered} ` +
        "then state else ?1 end, waiting = 0, attempts = attempts + ?2, settled_at = ?3, " +
        `reason = case when state = ${DELIVERY_STATES.cancelled} and ?1 <> ${DELIVERY_STATES.delivered} then reason else ?4 end ` +
        "where id = ?5 " +
        "returning attempts",
    ),
    cancelledTo: prepare<{ cancel_to: number | null }, [number]>(db, "select cancel_to from lanes where id = ?"),
    next: prepare<{ id: number | null }, [number, number]>(
      db,
      "select min(id) as id from deliveries where waiting = 1 and lane = ? and id > ?",
    ),
    stopWaiting: prepare<unknown, [number]>(db, "update deliveries set waiting = 0 where id = ?"),
    advance: prepare<unknown, [number | null, number | null, number, number]>(
      db,
      "update lanes set head = ?, due = ?, wait = null where id = ? and head = ?",
    ),
    makeDue: prepare<unknown, [number, string, number, number]>(
      db,
      "update lanes set due = ? where id in (select id from lanes where hook = ? and due > ? limit ?)",
    ),
    limitWaits: prepare<unknown, [number, string, number]>(
      db,
      "update lanes set due = ?1 + coalesce(wait, 0) where id in " +
        "(select id from lanes where hook = ?2 and due > ?1 and due > ?1 + coalesce(wait, 0) limit ?3)",
    ),
    cancelOne: prepare<{ lane: number }, [number, string, number, string | null]>(
      db,
      `update deliveries set state = ${DELIVERY_STATES.cancelled}, waiting = 0, settled_at = ?1, reason = ?2 ` +
        `where id = ?3 and state = ${DELIVERY_STATES.pending} and (?4 is null or tenant = ?4) returning lane`,
    ),
  };
}
