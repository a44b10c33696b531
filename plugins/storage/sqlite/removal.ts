import type { Database } from "bun:sqlite";
import { CALL_MEMORY_MS } from "../../../src/domain/call";
import { roomSid, type RoomSid } from "../../../src/domain/ids";
import type { RemovableEvent } from "../sql/event-fate";
import { IDS_AT_A_TIME, KNOWN_ID_MS } from "../sql/known-ids";
import { prepare } from "./prepare";

export type OldCall = { readonly id: number; readonly roomSid: RoomSid };

/** Takes rows out of the database; what may be taken out is decided elsewhere. */
export class Removal {
  readonly #statements;
  /** Events with all their deliveries and attempts, in one transaction. */
  readonly removeEvents: (events: readonly RemovableEvent[], now: number) => void;
  /** Calls without events, in one transaction. */
  readonly removeCalls: (calls: readonly OldCall[]) => void;

  constructor(db: Database) {
    this.#statements = prepareStatements(db);
    this.removeEvents = db.transaction((events: readonly RemovableEvent[], now: number) => {
      this.#statements.keepLastId.run();
      const lanes = new Set<number>();
      for (const event of events) this.#removeEvent(event, now, lanes);
      for (const lane of lanes) this.#statements.removeOwnLane.run(lane);
    }).immediate;
    this.removeCalls = db.transaction((calls: readonly OldCall[]) => {
      for (const { id } of calls) {
        this.#statements.removeLanes.run(id);
        this.#statements.removeCall.run(id);
      }
    }).immediate;
  }

  /** Those of the next `limit` calls that may be forgotten; `after` is undefined at the end. */
  oldCalls(after: number, limit: number, now: number): { calls: OldCall[]; after: number | undefined } {
    const rows = this.#statements.calls.all(after, limit);
    const old = rows.filter(({ last_at: lastAt }) => lastAt <= now - CALL_MEMORY_MS);
    // Ids follow time: behind a whole window of young calls there are only younger ones.
    const next = old.length === 0 || rows.length < limit ? undefined : rows.at(-1)?.id;
    return {
      calls: old.filter(({ used }) => used === 0).map(({ id, room_sid: sid }) => ({ id, roomSid: roomSid(sid) })),
      after: next,
    };
  }

  /** False when none is old enough. */
  forgetIds(now: number): boolean {
    // A look first: without it every sweep would write.
    return this.#statements.hasOldIds.get(now) !== null && this.#statements.forgetIds.run(now).changes > 0;
  }

  #removeEvent({ seq, id, received_at: receivedAt }: RemovableEvent, now: number, lanes: Set<number>): void {
    for (const { lane } of this.#statements.lanesOf.all(seq)) lanes.add(lane);
    this.#statements.removeDeliveries.run(seq);
    if (receivedAt + KNOWN_ID_MS > now) this.#statements.remember.run(id, receivedAt + KNOWN_ID_MS);
    this.#statements.removeEvent.run(seq);
  }
}

type CallRow = { id: number; room_sid: string; last_at: number; used: number };

function prepareStatements(db: Database) {
  return {
    lanesOf: prepare<{ lane: number }, [number]>(db, "select lane from deliveries where event = ?"),
    removeDeliveries: prepare<unknown, [number]>(db, "delete from deliveries where event = ?"),
    removeEvent: prepare<unknown, [number]>(db, "delete from events where seq = ?"),
    keepLastId: prepare<unknown, []>(
      db,
      "update delivery_ids set used = max(used, (select coalesce(max(id), 0) from deliveries))",
    ),
    // A lane of one event goes with it; that of a call goes with the call.
    removeOwnLane: prepare<unknown, [number]>(db, "delete from lanes where id = ? and part <> 0 and head is null"),
    remember: prepare<unknown, [string, number]>(
      db,
      "insert or replace into removed_events (id, forget_at) values (?, ?)",
    ),
    hasOldIds: prepare<{ id: string }, [number]>(db, "select id from removed_events where forget_at <= ? limit 1"),
    forgetIds: prepare<unknown, [number]>(
      db,
      `delete from removed_events where id in (select id from removed_events where forget_at <= ? limit ${IDS_AT_A_TIME})`,
    ),
    calls: prepare<CallRow, [number, number]>(
      db,
      "select id, room_sid, last_at, exists (select 1 from events e where e.call = calls.id) as used from calls " +
        "where id > ? order by id limit ?",
    ),
    removeLanes: prepare<unknown, [number]>(db, "delete from lanes where call = ?"),
    removeCall: prepare<unknown, [number]>(db, "delete from calls where id = ?"),
  };
}
