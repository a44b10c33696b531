import type { SQL } from "bun";
import type { RetentionLimits } from "../../../src/contracts/upkeep";
import { bigints } from "./array-parameters";
import { chooseEvents, MOST_REMOVED, olderThan, type Found, type JudgedEvent, type Wanted } from "../sql/event-fate";

/** Looked at in one step; most of them may have to stay. */
const WINDOW = 200;

export type FinishedEvent = JudgedEvent & { readonly room_sid: string | null };
/** `wanted` is to be asked again when nobody can add to their calls any more. */
export type FinishedFound = Found<FinishedEvent> & { readonly wanted: Wanted };

const isDelivered: Wanted = (_, fate) => fate === "delivered";
const isUnmatched: Wanted = (_, fate) => fate === "unmatched";
const isDead: Wanted = (_, fate) => fate === "dead";

/** Finds events that nothing more is to be done with. */
export class FinishedEvents {
  /** Events that are older than their limit, in the order of their arrival behind `after`. */
  async aged(sql: SQL, after: number, limits: RetentionLimits, now: number): Promise<FinishedFound> {
    const wanted = olderThan(limits, now);
    const shortest = Math.min(limits.delivered, limits.dead, limits.unmatched);
    const rows = await this.#window(sql, after);
    // Not at the first young one: the clock may have been ahead when it came.
    if (rows.every((row) => row.received_at > now - shortest)) return { events: [], after: undefined, wanted };
    return { ...chooseEvents(rows, WINDOW, wanted), wanted };
  }

  /** Events that arrived, or that nobody wanted: the first to go when room is short. */
  async delivered(sql: SQL, after: number): Promise<FinishedFound> {
    return { ...chooseEvents(await this.#window(sql, after), WINDOW, isDelivered), wanted: isDelivered };
  }

  /** The oldest events that found no hook. */
  async unmatched(sql: SQL): Promise<FinishedFound> {
    const oldest = sql`select seq from events where state = 2 order by received_at, seq limit ${MOST_REMOVED}`;
    const { events } = chooseEvents(await judge(sql, oldest), MOST_REMOVED, isUnmatched);
    return { events, after: events.length > 0 ? 0 : undefined, wanted: isUnmatched };
  }

  /** Those of which a delivery ended unsuccessfully, the oldest delivery first, behind this time. */
  async dead(sql: SQL, after: number): Promise<FinishedFound> {
    const rows = await sql<
      { event: string; made_at: number }[]
    >`select event, made_at::float8 as made_at from deliveries
      where state > 1 and made_at > ${after} order by made_at, id limit ${MOST_REMOVED}`;
    const events = await this.again(
      sql,
      rows.map(({ event }) => event),
      isDead,
    );
    if (rows.length < MOST_REMOVED) return { events, after: undefined, wanted: isDead };
    // What is removed is not found again; with all of a window to be kept it goes on behind them.
    return { events, after: events.length > 0 ? after : rows.at(-1)?.made_at, wanted: isDead };
  }

  /** Those of these events that are wanted, as they are now. */
  async again(sql: SQL, seqs: readonly (number | string)[], wanted: Wanted): Promise<readonly FinishedEvent[]> {
    if (seqs.length === 0) return [];
    const rows = await judge(sql, sql`select unnest(${bigints(sql, seqs)}::bigint[])`);
    return chooseEvents(rows, MOST_REMOVED, wanted).events;
  }

  #window(sql: SQL, after: number): Promise<FinishedEvent[]> {
    return judge(sql, sql`select seq from events where seq > ${after} order by seq limit ${WINDOW}`);
  }
}

/** A `bigint` would arrive as a string; as `float8` it is exact below 2^53. */
function judge(sql: SQL, seqs: SQL.Query<unknown>): Promise<FinishedEvent[]> {
  return sql<FinishedEvent[]>`select e.seq::float8 as seq, e.id, c.room_sid, e.received_at::float8 as received_at,
      e.state, d.least, d.most, d.settled_at::float8 as settled_at
    from events e left join calls c on c.id = e.call cross join lateral (
      select min(d.state) as least, max(d.state) as most, max(d.settled_at) as settled_at from deliveries d where d.event = e.seq
    ) d
    where e.seq in (${seqs}) order by e.seq`;
}
