import type { Database } from "bun:sqlite";
import type { Page, PageRequest, TimeSpan, UnmatchedEvent, UnmatchedFilter } from "../../../../src/contracts/history";
import { roomSid, type RoomSid } from "../../../../src/domain/ids";
import { END, readCursor, type Position } from "../../sql/cursor";
import { takePage } from "../../sql/take-page";
import { toUnmatchedEvent, type UnmatchedRow } from "../../sql/unmatched-event";
import type { Callers } from "../../sql/why-unmatched";
import { prepare } from "../prepare";

type EventRow = UnmatchedRow & { readonly seq: number; readonly call: number | null; readonly received_at: number };

const COLUMNS = `e.seq, e.id, e.name, e.subject, e.room_name, c.room_sid, e.call, e.created_at, e.received_at`;

export const UNMATCHED_SQL = {
  byTime: `select ${COLUMNS} from events e left join calls c on c.id = e.call
    where e.state = 2 and (e.received_at, e.seq) < (?, ?) and e.received_at >= ? order by e.received_at desc, e.seq desc`,
  ofCall: `select ${COLUMNS} from events e left join calls c on c.id = e.call
    where e.call = ? and e.state <> 0 and e.state = 2 and e.seq < ? order by e.seq desc`,
  callsOfHost: `select distinct call from participants where hook is null and host is not null and host = ? and call <= ?
    order by call desc`,
  withoutHook: (state: 1 | 2) => `select e.seq, e.received_at as at, c.room_sid, e.room_name,
      exists (select 1 from call_hooks h where h.call = e.call) as has_hook
    from events e left join calls c on c.id = e.call
    where e.state = ${state} and (e.received_at, e.seq) > (?, ?) and e.received_at < ? order by e.received_at, e.seq`,
} as const;

/** Events that went to no hook. */
export class UnmatchedList {
  readonly #statements;

  constructor(db: Database) {
    this.#statements = prepareStatements(db);
  }

  /** @throws AppError `invalid_cursor` */
  read(filter: UnmatchedFilter, { limit, after }: PageRequest): Page<UnmatchedEvent> {
    const callers = new Map<number, Callers>();
    const { entries, next } = takePage(this.#scan(filter, after, callers), limit);
    return { entries: entries.flatMap(({ event }) => event ?? []), next };
  }

  /** @throws AppError `invalid_cursor` */
  calls(filter: TimeSpan & { readonly room?: string }, { limit, after }: PageRequest): Page<RoomSid> {
    const { entries, next } = takePage(this.#scanCalls(filter, after), limit);
    return { entries: [...new Set(entries.flatMap(({ sid }) => sid ?? []))], next };
  }

  *#scan(filter: UnmatchedFilter, after: string | undefined, callers: Map<number, Callers>) {
    for (const { row, position } of this.#rows(filter, after)) {
      const event = toUnmatchedEvent(row, filter, () => this.#callersOf(row.call, callers));
      yield { event, fits: event !== undefined, position };
    }
  }

  *#rows(filter: UnmatchedFilter, after: string | undefined): Iterable<{ row: EventRow; position: Position }> {
    if (filter.host === undefined) {
      const [at = 0, seq = 0] = after === undefined ? [filter.until ?? END, 0] : readCursor(after, 2);
      for (const row of this.#statements.byTime.iterate(at, seq, filter.since ?? 0)) {
        yield { row, position: [row.received_at, row.seq] };
      }
      return;
    }
    const [call = 0, before = 0] = after === undefined ? [END, END] : readCursor(after, 2);
    for (const found of this.#statements.callsOfHost.iterate(filter.host, call)) {
      for (const row of this.#statements.ofCall.iterate(found.call, found.call === call ? before : END)) {
        yield { row, position: [found.call, row.seq] };
      }
    }
  }

  #callersOf(call: number | null, known: Map<number, Callers>): Callers | undefined {
    if (call === null) return undefined;
    const callers = known.get(call) ?? {
      hasHook: this.#statements.hasHook.get(call) !== null,
      sip: this.#statements.sip.all(call),
    };
    known.set(call, callers);
    return callers;
  }

  *#scanCalls({ since = 0, until = END, room }: TimeSpan & { readonly room?: string }, after: string | undefined) {
    const [first = 0, at = 0, seq = 0] = after === undefined ? [0, since, 0] : readCursor(after, 3);
    for (const [which, statement] of [
      this.#statements.unmatchedWithoutHook,
      this.#statements.heldWithoutHook,
    ].entries()) {
      if (which < first) continue;
      const [from, fromSeq] = which === first ? [at, seq] : [since, 0];
      for (const row of statement.iterate(from, fromSeq, until)) {
        const fits = row.has_hook === 0 && row.room_sid !== null && (room === undefined || row.room_name === room);
        const sid = row.room_sid === null ? undefined : roomSid(row.room_sid);
        yield { sid, fits, position: [which, row.at, row.seq] };
      }
    }
  }
}

type CallEventRow = { seq: number; at: number; room_sid: string | null; room_name: string; has_hook: number };

function prepareStatements(db: Database) {
  return {
    byTime: prepare<EventRow, [number, number, number]>(db, UNMATCHED_SQL.byTime),
    ofCall: prepare<EventRow, [number, number]>(db, UNMATCHED_SQL.ofCall),
    callsOfHost: prepare<{ call: number }, [string, number]>(db, UNMATCHED_SQL.callsOfHost),
    unmatchedWithoutHook: prepare<CallEventRow, [number, number, number]>(db, UNMATCHED_SQL.withoutHook(2)),
    heldWithoutHook: prepare<CallEventRow, [number, number, number]>(db, UNMATCHED_SQL.withoutHook(1)),
    hasHook: prepare<{ hook: string }, [number]>(db, "select hook from call_hooks where call = ? limit 1"),
    sip: prepare<{ sid: string; host: string | null }, [number]>(
      db,
      "select sid, host from participants where call = ? and sip = 1 limit 500",
    ),
  };
}
