import type { SQL } from "bun";
import type { Page, PageRequest, UnmatchedEvent, UnmatchedFilter } from "../../../../src/contracts/history";
import { eventId, roomSid } from "../../../../src/domain/ids";
import { readCursor } from "../../sql/cursor";
import { takePage } from "../../sqlite/history/take-page";
import { storableText } from "../storable-text";
import { mayBeSeen, whyUnmatched, type Callers } from "../../sqlite/history/unmatched-list";
import { readCallers } from "./read-callers";
import { END } from "./delivery-scan";
import { MAX_SCANNED, type Part } from "./read-page";

/** A `bigint` arrives as a string. */
type EventRow = {
  seq: string;
  id: string;
  name: string;
  subject: string;
  room_name: string;
  room_sid: string | null;
  call: string | null;
  created_at: string | null;
  received_at: string;
};

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
    const events = rows.map((row) => {
      const event = toEvent(row, filter, row.call === null ? undefined : callers.get(row.call));
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

function toEvent(row: EventRow, filter: UnmatchedFilter, callers: Callers | undefined): UnmatchedEvent | undefined {
  const receivedAt = Number(row.received_at);
  if (filter.room !== undefined && row.room_name !== storableText(filter.room)) return undefined;
  if (receivedAt < (filter.since ?? 0) || receivedAt >= (filter.until ?? END)) return undefined;
  const own = callers?.sip.find(({ sid }) => sid === row.subject);
  const about = own === undefined ? (callers?.sip ?? []) : [own];
  const hosts = [...new Set(about.flatMap(({ host }) => host ?? []))];
  if (filter.host !== undefined && !hosts.includes(filter.host)) return undefined;
  if (filter.maySeeHost !== undefined && !mayBeSeen(callers, filter.maySeeHost)) return undefined;
  return {
    eventId: eventId(row.id),
    eventName: row.name,
    roomName: row.room_name,
    roomSid: row.room_sid === null ? undefined : roomSid(row.room_sid),
    createdAt: row.created_at === null ? undefined : Number(row.created_at),
    receivedAt,
    hosts,
    why: whyUnmatched(callers, hosts),
  };
}
