import type { SQL } from "bun";
import type { Page, PageRequest, TimeSpan } from "../../../../src/contracts/history";
import { roomSid, type RoomSid } from "../../../../src/domain/ids";
import { EVENT_STATES } from "../../sql/states";
import { END, readCursor, writeCursor, type Position } from "../../sql/cursor";
import { equals } from "./delivery-scan";
import { readPage, type PageOptions } from "./read-page";

/** A `bigint` arrives as a string. */
type Row = { at: string; seq: string; room_sid: string | null; fits: boolean };
export type UnroutedFilter = TimeSpan & { readonly room?: string };

/** Listed as unmatched first, then what is still held: as they are in the indexes. */
const STATES = [EVENT_STATES.unmatched, EVENT_STATES.held] as const;

/**
 * Calls without any hook that have events.
 *
 * @throws AppError `invalid_cursor`
 */
export async function unroutedCalls(
  sql: SQL,
  filter: UnroutedFilter,
  { limit, after }: PageRequest,
): Promise<Page<RoomSid>> {
  const [which = 0, ...from] = after === undefined ? [0, filter.since ?? 0, 0] : readCursor(after, 3);
  const page = await readPage(sql, { ...unroutedScan(sql, filter, which, from), limit });
  if (which === 1 || page.next !== undefined) return sidsOf(page.entries, page.next);
  const rest = limit - page.entries.length;
  const begin = [filter.since ?? 0, 0];
  if (rest === 0) return sidsOf(page.entries, writeCursor([1, ...begin]));
  const held = await readPage(sql, { ...unroutedScan(sql, filter, 1, begin), limit: rest });
  return sidsOf([...page.entries, ...held.entries], held.next);
}

function sidsOf(rows: readonly Row[], next: string | undefined): Page<RoomSid> {
  const sids = rows.flatMap(({ room_sid: sid }) => (sid === null ? [] : roomSid(sid)));
  return { entries: [...new Set(sids)], next };
}

export function unroutedScan(
  sql: SQL,
  { until = END, room }: UnroutedFilter,
  which: number,
  [at = 0, seq = 0]: Position,
): Omit<PageOptions<Row>, "limit"> {
  // Written out because only then the indexes of such events are used.
  const state = STATES[which] === EVENT_STATES.held ? sql`e.state = 1` : sql`e.state = 2`;
  const hasHook = sql`exists (select 1 from call_hooks h where h.call = e.call)`;
  return {
    scan: sql`select e.received_at as at, e.seq, c.room_sid,
        (c.id is not null and not ${hasHook} and ${equals(sql, sql`e.room_name`, room)}) as fits
      from events e left join calls c on c.id = e.call
      where ${state} and (e.received_at, e.seq) > (${at}, ${seq}) and e.received_at < ${until}`,
    order: sql`at, seq`,
    position: (row) => [which, Number(row.at), Number(row.seq)],
  };
}
