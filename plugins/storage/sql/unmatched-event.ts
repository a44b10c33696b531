import type { UnmatchedEvent, UnmatchedFilter } from "../../../src/contracts/history";
import { eventId, roomSid } from "../../../src/domain/ids";
import { END } from "./cursor";
import { mayBeSeen, whyUnmatched, type Callers } from "./why-unmatched";

/** A row of `events`, with what is known of its call; Postgres has a `bigint` as a string. */
export type UnmatchedRow = {
  readonly id: string;
  readonly name: string;
  readonly subject: string;
  readonly room_name: string;
  readonly room_sid: string | null;
  readonly created_at: number | string | null;
  readonly received_at: number | string;
};

/** Undefined when the filter does not let it through. `callersOf` is asked only when the rest of the filter does. */
export function toUnmatchedEvent(
  row: UnmatchedRow,
  filter: UnmatchedFilter,
  callersOf: () => Callers | undefined,
): UnmatchedEvent | undefined {
  const receivedAt = Number(row.received_at);
  if (filter.room !== undefined && row.room_name !== filter.room) return undefined;
  if (receivedAt < (filter.since ?? 0) || receivedAt >= (filter.until ?? END)) return undefined;
  const callers = callersOf();
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
