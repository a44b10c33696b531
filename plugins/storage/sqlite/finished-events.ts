import type { Database } from "bun:sqlite";
import type { RetentionLimits } from "../../../src/contracts/upkeep";
import { chooseEvents, MOST_REMOVED, olderThan, type Found, type JudgedEvent } from "../sql/event-fate";
import { prepare } from "./prepare";

/** Looked at in one step; most of them may have to stay. */
const WINDOW = 200;

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
    return chooseEvents(rows, WINDOW, olderThan(limits, now));
  }

  /** Events that arrived, or that nobody wanted: the first to go when room is short. */
  delivered(after: number): Found {
    return chooseEvents(this.#statements.window.all(after, WINDOW), WINDOW, (_, fate) => fate === "delivered");
  }

  /** The oldest events that found no hook. */
  unmatched(): Found {
    const found = this.#statements.unmatched.all(MOST_REMOVED).flatMap(({ seq }) => this.#statements.one.all(seq));
    const { events } = chooseEvents(found, MOST_REMOVED, (_, fate) => fate === "unmatched");
    return { events, after: events.length > 0 ? 0 : undefined };
  }

  /** Those of which a delivery ended unsuccessfully, the oldest delivery first, behind this time. */
  dead(after: number): Found {
    const rows = this.#statements.failed.all(after, MOST_REMOVED);
    const found = [...new Set(rows.map(({ event }) => event))].flatMap((seq) => this.#statements.one.all(seq));
    const { events: removable } = chooseEvents(found, MOST_REMOVED, (_, fate) => fate === "dead");
    if (rows.length < MOST_REMOVED) return { events: removable, after: undefined };
    // What is removed is not found again; with all of a window to be kept it goes on behind them.
    return { events: removable, after: removable.length > 0 ? after : rows.at(-1)?.made_at };
  }
}

function prepareStatements(db: Database) {
  const select =
    "select e.seq, e.id, e.received_at, e.state, min(d.state) as least, max(d.state) as most, " +
    "max(d.settled_at) as settled_at from events e left join deliveries d on d.event = e.seq";
  return {
    window: prepare<JudgedEvent, [number, number]>(
      db,
      `${select} where e.seq > ? group by e.seq order by e.seq limit ?`,
    ),
    one: prepare<JudgedEvent, [number]>(db, `${select} where e.seq = ? group by e.seq`),
    unmatched: prepare<{ seq: number }, [number]>(
      db,
      "select seq from events where state = 2 order by received_at limit ?",
    ),
    failed: prepare<{ event: number; made_at: number }, [number, number]>(
      db,
      "select event, made_at from deliveries where state > 1 and made_at > ? order by made_at limit ?",
    ),
  };
}
