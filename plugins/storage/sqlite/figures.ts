import type { Database } from "bun:sqlite";
import type { StorageFigures } from "../../../src/contracts/storage-figures";
import { Pages } from "./pages";
import { DELIVERY_STATES, EVENT_STATES } from "../sql/states";
import { prepare } from "./prepare";

/** So many waiting ones are counted: 3 ms (measured; a million took 23). A look takes 7 ms with a million in 50,000 lanes. */
const MOST = 100_000;
/** Ids that are looked through in one stretch: below 1 ms. */
const STRETCH = 5_000;
/** In one look. A restart with a backlog behind more rows than this finds its oldest with the next looks. */
const STRETCHES = 400;

/** What the database says of its contents. Everything but the oldest comes out of indexes that are there for sending. */
export class Figures {
  readonly #statements;
  readonly #pages: Pages;
  /** No delivery below this id is pending: ids are in the order of times, and none that was settled is pending again. */
  #settledBelow = 0;

  constructor(db: Database) {
    this.#pages = new Pages(db);
    this.#statements = prepareStatements(db);
  }

  async read(): Promise<StorageFigures> {
    const lanes = this.#statements.lanes.get()?.count ?? 0;
    const behind = this.#statements.behind.get()?.count ?? 0;
    return {
      pending: Math.min(lanes + behind, MOST),
      lanes,
      oldestReceivedAt: await this.#oldest(lanes),
      unmatched: this.#statements.unmatched.get()?.count ?? 0,
      bytes: this.#pages.usedBytes(),
    };
  }

  /**
   * Goes on from where the last look found the oldest, so that each row is passed once in its life; nothing is looked for
   * when nothing waits.
   */
  async #oldest(lanes: number): Promise<number | undefined> {
    const ids = this.#statements.ids.get();
    if (ids === null || ids.first === null || ids.last === null) return undefined;
    if (lanes === 0) {
      this.#settledBelow = ids.last + 1;
      return undefined;
    }
    this.#settledBelow = Math.max(this.#settledBelow, ids.first);
    for (let stretch = 0; stretch < STRETCHES && this.#settledBelow <= ids.last; stretch++) {
      const found = this.#statements.oldest.get(this.#settledBelow, this.#settledBelow + STRETCH);
      if (found !== null) {
        this.#settledBelow = found.id;
        return found.received_at;
      }
      this.#settledBelow = Math.min(this.#settledBelow + STRETCH, ids.last + 1);
      await new Promise(setImmediate);
    }
    return undefined;
  }
}

type Count = { count: number };

function prepareStatements(db: Database) {
  const count = (of: string) =>
    prepare<Count, []>(db, `select count(*) as count from (select 1 from ${of} limit ${MOST})`);
  return {
    lanes: count("lanes where due is not null"),
    behind: count("deliveries where waiting = 1"),
    unmatched: count(`events where state = ${EVENT_STATES.unmatched}`),
    ids: prepare<{ first: number | null; last: number | null }, []>(
      db,
      "select (select min(id) from deliveries) as first, (select max(id) from deliveries) as last",
    ),
    oldest: prepare<{ id: number; received_at: number }, [number, number]>(
      db,
      "select d.id, case d.replay when 1 then d.made_at else e.received_at end as received_at " +
        "from (select id, event, replay, made_at from deliveries where id >= ? and id < ? " +
        `and state = ${DELIVERY_STATES.pending} order by id limit 1) d join events e on e.seq = d.event`,
    ),
  };
}
