import type { Database } from "bun:sqlite";
import { DELIVERY_STATE_NAMES, UNSUCCESSFUL, type DeliveryFilter } from "../../../../src/contracts/history";
import { END, readCursor, type Position } from "../../sql/cursor";
import type { ScannedRow } from "../../sql/take-page";
import { tenantOf } from "../../sql/tenant-of";
import { prepare } from "../prepare";

export type ScannedDelivery = ScannedRow & { readonly id: number };

type Order = "newest" | "oldest";
type Params = Record<string, string | number | null>;
type Row = { id: number; at: number; fits: number };
type CallRow = { id: number; seq: number; fits: number };
type TimeScan = {
  readonly order: Order;
  readonly after: string | undefined;
  readonly params: Params;
  readonly failedOnly: boolean;
};

const FITS = `instr($states, d.state) > 0
  and ($tenant is null or d.tenant = $tenant)
  and ($host is null or d.hook in (select hook from known_hooks where host = $host))
  and ($room is null or e.room_name = $room)
  and ($name is null or e.name = $name)
  and d.made_at >= $since and d.made_at < $until`;

/** What finds the deliveries of a filter: the narrowest index that has them in their order. */
const DRIVERS = { time: "true", hook: "d.hook = $hook", tenant: "d.tenant = $tenant" } as const;

/** Hooks whose deliveries are put in order together; of more all deliveries are looked through. */
const MOST_MERGED = 200;
/** Of each of them are read at a time. */
const MERGED_CHUNK = 20;

/** Deliveries in the order of an index, with what the filter says of each. */
export class DeliveryScan {
  readonly #db: Database;
  readonly #hooksOf;
  readonly #hooksOfTenant;
  readonly #callBySid;
  readonly #callsByName;
  readonly #newestId;
  readonly #madeFrom;

  constructor(db: Database) {
    this.#db = db;
    this.#hooksOf = prepare<{ hook: string }, [string, string | null]>(
      db,
      `select hook from known_hooks where host = ?1 and (?2 is null or auth_id = ?2) limit ${MOST_MERGED + 1}`,
    );
    this.#hooksOfTenant = prepare<{ hook: string }, [string]>(
      db,
      `select hook from known_hooks where auth_id = ? limit ${MOST_MERGED + 1}`,
    );
    this.#newestId = prepare<{ id: number | null }, []>(this.#db, "select max(id) as id from deliveries");
    this.#madeFrom = prepare<{ id: number; made_at: number }, [number]>(
      db,
      "select id, made_at from deliveries where id >= ? order by id limit 1",
    );
    this.#callBySid = prepare<{ id: number; first_at: number }, [string]>(
      db,
      "select id, first_at from calls where room_sid = ?",
    );
    this.#callsByName = {
      newest: prepare<{ id: number; first_at: number }, [string, number, number]>(
        db,
        "select id, first_at from calls where room_name = ? and (first_at, id) <= (?, ?) order by first_at desc, id desc",
      ),
      oldest: prepare<{ id: number; first_at: number }, [string, number, number]>(
        db,
        "select id, first_at from calls where room_name = ? and (first_at, id) >= (?, ?) order by first_at, id",
      ),
    };
  }

  /** @throws AppError `invalid_cursor` */
  rows(filter: DeliveryFilter, order: Order, after: string | undefined): Iterable<ScannedDelivery> {
    const own = tenantOf(filter.viewer);
    // Another tenant's are none.
    if (own !== null && filter.authId !== undefined && filter.authId !== own) return [];
    const tenant = own ?? filter.authId ?? null;
    const states = filter.states ?? DELIVERY_STATE_NAMES;
    const params: Params = {
      states: states.map((state) => DELIVERY_STATE_NAMES.indexOf(state)).join(""),
      tenant,
      host: filter.host ?? null,
      room: filter.room ?? null,
      name: filter.eventName ?? null,
      since: filter.since ?? 0,
      until: filter.until ?? END,
    };
    if (filter.roomSid !== undefined || filter.room !== undefined) return this.#byCall(filter, order, after, params);
    const failedOnly = states.every((state) => UNSUCCESSFUL.includes(state));
    const scan: TimeScan = { order, after, params, failedOnly };
    if (filter.host !== undefined) return this.#byHooks(this.#hooksOf.all(filter.host, tenant), scan);
    if (tenant === null) return failedOnly ? this.#byTime("time", scan) : this.#byId(scan);
    return failedOnly ? this.#byTime("tenant", scan) : this.#byHooks(this.#hooksOfTenant.all(tenant), scan);
  }

  #byHooks(hooks: readonly { hook: string }[], scan: TimeScan): Iterable<ScannedDelivery> {
    const [first, second] = hooks;
    if (first === undefined) return [];
    if (second === undefined) return this.#byTime("hook", { ...scan, params: { ...scan.params, hook: first.hook } });
    if (hooks.length > MOST_MERGED) return scan.failedOnly ? this.#byTime("time", scan) : this.#byId(scan);
    return this.#merge(hooks, scan);
  }

  *#byTime(driver: keyof typeof DRIVERS, scan: TimeScan): Iterable<ScannedDelivery> {
    const [at, id] = beginningOf(scan);
    const statement = prepare<Row, [Params]>(this.#db, timeSql(driver, scan.failedOnly, scan.order));
    for (const row of statement.iterate({ ...scan.params, at, id })) yield toScanned(row);
  }

  /** The deliveries of several hooks, put in order. */
  *#merge(hooks: readonly { hook: string }[], scan: TimeScan): Iterable<ScannedDelivery> {
    const { order, params, failedOnly } = scan;
    const statement = prepare<Row, [Params]>(this.#db, `${timeSql("hook", failedOnly, order)} limit ${MERGED_CHUNK}`);
    const [at, id] = beginningOf(scan);
    const read = (hook: string, from: Position) =>
      statement.all({ ...params, hook, at: from[0] ?? 0, id: from[1] ?? 0 });
    const streams = hooks.map(({ hook }) => ({ hook, rows: read(hook, [at, id]), next: 0 }));
    const isBefore = (a: Row, b: Row) => (a.at - b.at || a.id - b.id) * (order === "newest" ? -1 : 1) < 0;
    for (;;) {
      let best: { readonly stream: (typeof streams)[number]; readonly row: Row } | undefined;
      for (const stream of streams) {
        const row = stream.rows[stream.next];
        if (row !== undefined && (best === undefined || isBefore(row, best.row))) best = { stream, row };
      }
      if (best === undefined) return;
      const { stream, row } = best;
      stream.next++;
      if (stream.next === MERGED_CHUNK) Object.assign(stream, { rows: read(stream.hook, [row.at, row.id]), next: 0 });
      yield toScanned(row);
    }
  }

  /** All deliveries: their ids are in the order of their times. */
  *#byId({ order, after, params }: TimeScan): Iterable<ScannedDelivery> {
    const since = this.#firstMadeAt(Number(params["since"]));
    const until = this.#firstMadeAt(Number(params["until"]));
    const [, from = 0] = after === undefined ? [0, order === "newest" ? END : 0] : readCursor(after, 2);
    const [above, below] = order === "newest" ? [since - 1, Math.min(from, until)] : [Math.max(from, since - 1), until];
    for (const row of prepare<Row, [Params]>(this.#db, idSql(order)).iterate({ ...params, above, below })) {
      yield toScanned(row);
    }
  }

  /** The id from which on deliveries were made at this time or later; `END` when there is none. */
  #firstMadeAt(time: number): number {
    let [low, high] = [0, (this.#newestId.get()?.id ?? 0) + 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const row = this.#madeFrom.get(middle);
      if (row === null || row.made_at >= time) high = middle;
      else low = row.id + 1;
    }
    return this.#madeFrom.get(low)?.id ?? END;
  }

  *#byCall(filter: DeliveryFilter, order: Order, after: string | undefined, params: Params): Iterable<ScannedDelivery> {
    const begin = order === "newest" ? END : 0;
    const [at = 0, firstCall = 0, seq = 0, id = 0] =
      after === undefined ? [begin, begin, begin, begin] : readCursor(after, 4);
    const statement = prepare<CallRow, [Params]>(this.#db, callSql(order));
    for (const call of this.#callsOf(filter, order, [at, firstCall])) {
      const from = call.id === firstCall ? { seq, id } : { seq: begin, id: begin };
      for (const row of statement.iterate({ ...params, call: call.id, ...from })) {
        yield { id: row.id, fits: row.fits === 1, position: [call.first_at, call.id, row.seq, row.id] };
      }
    }
  }

  #callsOf({ roomSid, room }: DeliveryFilter, order: Order, [at = 0, id = 0]: Position) {
    if (roomSid === undefined) return this.#callsByName[order].iterate(room ?? "", at, id);
    const call = this.#callBySid.get(roomSid);
    return call === null ? [] : [call];
  }
}

const toScanned = (row: Row): ScannedDelivery => ({ id: row.id, fits: row.fits === 1, position: [row.at, row.id] });

/** @throws AppError `invalid_cursor` */
function beginningOf({ order, after, params }: TimeScan): readonly [at: number, id: number] {
  if (after === undefined) return [order === "newest" ? Number(params["until"]) : Number(params["since"]), 0];
  const [at = 0, id = 0] = readCursor(after, 2);
  return [at, id];
}

/** `state > 1` is written out because only then the indexes of what did not arrive are used. */
export function timeSql(driver: keyof typeof DRIVERS, failedOnly: boolean, order: Order): string {
  const [compare, direction] = order === "newest" ? ["<", "desc"] : [">", "asc"];
  return `select d.id, d.made_at as at, (${FITS}) as fits from deliveries d cross join events e on e.seq = d.event
    where ${DRIVERS[driver]} and (d.made_at, d.id) ${compare} ($at, $id)${failedOnly ? " and d.state > 1" : ""}
      and d.made_at ${order === "newest" ? ">= $since" : "< $until"}
    order by d.made_at ${direction}, d.id ${direction}`;
}

export function idSql(order: Order): string {
  return `select d.id, d.made_at as at, (${FITS}) as fits from deliveries d cross join events e on e.seq = d.event
    where d.id > $above and d.id < $below order by d.id ${order === "newest" ? "desc" : "asc"}`;
}

export function callSql(order: Order): string {
  const [compare, direction] = order === "newest" ? ["<", "desc"] : [">", "asc"];
  return `select d.id, e.seq, (${FITS}) as fits from events e cross join deliveries d on d.event = e.seq
    where e.call = $call and e.seq ${compare}= $seq and (e.seq ${compare} $seq or d.id ${compare} $id)
    order by e.seq ${direction}, d.id ${direction}`;
}
