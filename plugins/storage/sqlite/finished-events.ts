import type { Database } from "bun:sqlite";
import type { RetentionLimits } from "../../../src/contracts/upkeep";
import { EVENT_STATES, DELIVERY_STATES } from "./states";
import type { RemovableEvent } from "./removal";

/** What became of an event: which of the limits counts. `open`: it is still to be delivered, or held for its call's hook. */
type Fate = "open" | "delivered" | "dead" | "unmatched";

/** Some of the events found, and where to go on; `after` is undefined at the end. */
export type Found = { readonly events: readonly RemovableEvent[]; readonly after: number | undefined };

/** Looked at in one step; most of them may have to stay. */
const WINDOW = 200;
/** Removed in one step: 100 take 1.5 ms, at worst 17; 2,000 take 68 (measured). */
const MOST_REMOVED = 100;

/** Finds events that nothing more is to be done with. */
export class FinishedEvents {
  readonly #statements;

  constructor(db: Database) {
    this.#statements = prepareStatements(db);
  }

  /** Events that are older than their limit, in the order of their arrival behind `after`. */
  aged(after: number, limits: RetentionLimits, now: number): Found {
    const shortest = Math.min(limits.delivered, limits.dead, limits.unmatched);
    const rows = this.#statements.window.all(after, WINDOW);
    // Not at the first young one: the clock may have been ahead when it came.
    if (rows.every((row) => row.received_at > now - shortest)) return { events: [], after: undefined };
    return choose(rows, WINDOW, (row, fate) => {
      if (fate === "open") return row.state === EVENT_STATES.held && row.received_at <= now - limits.unmatched;
      return Math.max(row.settled_at ?? 0, row.received_at) <= now - limits[fate];
    });
  }

  /** Events that arrived, or that nobody wanted: the first to go when room is short. */
  delivered(after: number): Found {
    return choose(this.#statements.window.all(after, WINDOW), WINDOW, (_, fate) => fate === "delivered");
  }

  /** The oldest events that found no hook. */
  unmatched(): Found {
    const found = this.#statements.unmatched.all(MOST_REMOVED).flatMap(({ seq }) => this.#statements.one.all(seq));
    const { events } = choose(found, MOST_REMOVED, (_, fate) => fate === "unmatched");
    return { events, after: events.length > 0 ? 0 : undefined };
  }

  /** Those of which a delivery ended unsuccessfully, the oldest delivery first, behind this time. */
  dead(after: number): Found {
    const rows = this.#statements.failed.all(after, MOST_REMOVED);
    const found = [...new Set(rows.map(({ event }) => event))].flatMap((seq) => this.#statements.one.all(seq));
    const { events: removable } = choose(found, MOST_REMOVED, (_, fate) => fate === "dead");
    if (rows.length < MOST_REMOVED) return { events: removable, after: undefined };
    // What is removed is not found again; with all of a window to be kept it goes on behind them.
    return { events: removable, after: removable.length > 0 ? after : rows.at(-1)?.made_at };
  }
}

type Row = RemovableEvent & {
  readonly state: number;
  /** Least and greatest state of its deliveries. */
  readonly least: number | null;
  readonly most: number | null;
  readonly settled_at: number | null;
};

function choose(rows: readonly Row[], limit: number, wanted: (row: Row, fate: Fate) => boolean): Found {
  const events: Row[] = [];
  let last: number | undefined;
  for (const row of rows) {
    if (events.length >= MOST_REMOVED) return { events, after: last };
    if (wanted(row, fateOf(row))) events.push(row);
    last = row.seq;
  }
  return { events, after: rows.length < limit ? undefined : last };
}

function fateOf({ state, least, most }: Row): Fate {
  if (least === DELIVERY_STATES.pending || state === EVENT_STATES.held) return "open";
  if (state === EVENT_STATES.unmatched) return "unmatched";
  return (most ?? DELIVERY_STATES.delivered) > DELIVERY_STATES.delivered ? "dead" : "delivered";
}

function prepareStatements(db: Database) {
  const select =
    "select e.seq, e.id, e.received_at, e.state, min(d.state) as least, max(d.state) as most, " +
    "max(d.settled_at) as settled_at from events e left join deliveries d on d.event = e.seq";
  return {
    window: db.query<Row, [number, number]>(`${select} where e.seq > ? group by e.seq order by e.seq limit ?`),
    one: db.query<Row, [number]>(`${select} where e.seq = ? group by e.seq`),
    unmatched: db.query<{ seq: number }, [number]>(
      "select seq from events where state = 2 order by received_at limit ?",
    ),
    failed: db.query<{ event: number; made_at: number }, [number, number]>(
      "select event, made_at from deliveries where state > 1 and made_at > ? order by made_at limit ?",
    ),
  };
}
