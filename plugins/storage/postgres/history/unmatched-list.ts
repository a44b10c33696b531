import type { SQL } from "bun";
import type { Page, PageRequest, UnmatchedEvent, UnmatchedFilter } from "../../../../src/contracts/history";
import { END, readCursor } from "../../sql/cursor";
import { MAX_SCANNED, takePage } from "../../sql/take-page";
import { toUnmatchedEvent, type UnmatchedRow } from "../../sql/unmatched-event";
import { storableText } from "../storable-text";
import { readCallers } from "./read-callers";
import type { Part } from "./read-page";

/** A `bigint` arrives as a string. */
type EventRow = UnmatchedRow & { readonly seq: string; readonly call: string | null };

/** Events that went to no hook. */
export class UnmatchedList {
  readonly #sql: SQL;

  constructor(sql: SQL) {
    this.#sql = sql;
  }

  /** @throws AppError `invalid_cursor` */
  async page(filter: UnmatchedFilter, { limit, after }: PageRequest): Promise<Page<UnmatchedEvent>> {
    // Without a filter every row fits.
    const all = filter.room === undefined && filter.host === undefined && filter.maySeeHost === undefined;
    const sql = this.#sql;
    const scan = filter.host === undefined ? byTime(sql, filter, after) : byHost(sql, filter.host, after);
    const rows = await sql<EventRow[]>`${scan} limit ${all ? limit + 1 : MAX_SCANNED + 1}`;
    const callers = await readCallers(sql, [...new Set(rows.flatMap(({ call }) => call ?? []))]);
    const stored = filter.room === undefined ? filter : { ...filter, room: storableText(filter.room) };
    const events = rows.map((row) => {
      const event = toUnmatchedEvent(row, stored, () => (row.call === null ? undefined : callers.get(row.call)));
      const first = filter.host === undefined ? row.received_at : row.call;
      return { event, fits: event !== undefined, position: [Number(first), Number(row.seq)] };
    });
    const { entries, next } = takePage(events, limit);
    return { entries: entries.flatMap(({ event }) => event ?? []), next };
  }
}

/** @throws AppError `invalid_cursor` */
export function byTime(sql: SQL, { since = 0, until = END }: UnmatchedFilter, after: string | undefined): Part {
  const [at = 0, seq = 0] = after === undefined ? [until, 0] : readCursor(after, 2);
  return sql`select ${columns(sql)} from events e left join calls c on c.id = e.call
    where e.state = 2 and (e.received_at, e.seq) < (${at}, ${seq}) and e.received_at >= ${since}
    order by e.received_at desc, e.seq desc`;
}

/**
 * Through the participants that called the host and got no hook.
 *
 * @throws AppError `invalid_cursor`
 */
export function byHost(sql: SQL, host: string, after: string | undefined): Part {
  const [call = 0, seq = 0] = after === undefined ? [END, END] : readCursor(after, 2);
  return sql`select ${columns(sql)}
    from (select distinct call from participants where hook is null and host = ${storableText(host)} and call <= ${call}
        order by call desc) p
      join calls c on c.id = p.call join events e on e.call = p.call
    where e.state <> 0 and e.state = 2 and (e.call, e.seq) < (${call}, ${seq})
    order by p.call desc, e.seq desc`;
}

function columns(sql: SQL): Part {
  return sql`e.seq, e.id, e.name, e.subject, e.room_name, c.room_sid, e.call, e.created_at, e.received_at`;
}
