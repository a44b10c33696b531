import type { Database } from "bun:sqlite";
import {
  DELIVERY_STATE_NAMES,
  UNSUCCESSFUL,
  type DeliveryFilter,
  type DeliveryState,
} from "../../../../src/contracts/history";
import { readCursor, type Position } from "./cursor";
import type { ScannedRow } from "./take-page";
import { tenantOf } from "./tenant-of";

export type ScannedDelivery = ScannedRow & { readonly id: number };

type Order = "newest" | "oldest";
type Params = Record<string, string | number | null>;
type Row = { id: number; at: number; fits: number };
type CallRow = { id: number; seq: number; fits: number };

/** Later than any time, and a larger id than any. */
export const END = Number.MAX_SAFE_INTEGER;

const FITS = `instr($states, d.state) > 0
  and ($tenant is null or d.tenant = $tenant)
  and ($host is null or d.hook in (select hook from known_hooks where host = $host))
  and ($room is null or e.room_name = $room)
  and ($name is null or e.name = $name)
  and d.made_at >= $since and d.made_at < $until`;

/** What finds the deliveries of a filter: the narrowest index that has them in their order. */
const DRIVERS = { time: "true", hook: "d.hook = $hook", tenant: "d.tenant = $tenant" } as const;

/** Deliveries in the order of an index, with what the filter says of each. */
export class DeliveryScan {
  readonly #db: Database;
  readonly #hooksOf;
  readonly #callBySid;
  readonly #callsByName;

  constructor(db: Database) {
    this.#db = db;
    this.#hooksOf = db.query<{ hook: string }, [string, string | null]>(
      "select hook from known_hooks where host = ?1 and (?2 is null or auth_id = ?2) limit 2",
    );
    this.#callBySid = db.query<{ id: number; first_at: number }, [string]>(
      "select id, first_at from calls where room_sid = ?",
    );
    this.#callsByName = {
      newest: db.query<{ id: number; first_at: number }, [string, number, number]>(
        "select id, first_at from calls where room_name = ? and (first_at, id) <= (?, ?) order by first_at desc, id desc",
      ),
      oldest: db.query<{ id: number; first_at: number }, [string, number, number]>(
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
    if (filter.host === undefined) {
      return this.#byTime(tenant === null ? "time" : "tenant", states, order, after, params);
    }
    const hooks = this.#hooksOf.all(filter.host, tenant);
    const [first, second] = hooks;
    if (first === undefined) return [];
    if (second === undefined) return this.#byTime("hook", states, order, after, { ...params, hook: first.hook });
    // A host that several tenants have had: what is theirs is found among all.
    return this.#byTime("time", states, order, after, params);
  }

  *#byTime(
    driver: keyof typeof DRIVERS,
    states: readonly DeliveryState[],
    order: Order,
    after: string | undefined,
    params: Params,
  ): Iterable<ScannedDelivery> {
    const [at = 0, id = 0] =
      after === undefined
        ? [order === "newest" ? Number(params["until"]) : Number(params["since"]), 0]
        : readCursor(after, 2);
    const failedOnly = states.every((state) => UNSUCCESSFUL.includes(state));
    const statement = this.#db.query<Row, [Params]>(timeSql(driver, failedOnly, order));
    const { hook, ...rest } = params;
    const all = driver === "hook" ? { ...rest, hook: hook ?? null } : rest;
    for (const row of statement.iterate({ ...all, at, id })) {
      yield { id: row.id, fits: row.fits === 1, position: [row.at, row.id] };
    }
  }

  *#byCall(filter: DeliveryFilter, order: Order, after: string | undefined, params: Params): Iterable<ScannedDelivery> {
    const begin = order === "newest" ? END : 0;
    const [at = 0, firstCall = 0, seq = 0, id = 0] =
      after === undefined ? [begin, begin, begin, begin] : readCursor(after, 4);
    const statement = this.#db.query<CallRow, [Params]>(callSql(order));
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

/** `state > 1` is written out because only then the indexes of what did not arrive are used. */
export function timeSql(driver: keyof typeof DRIVERS, failedOnly: boolean, order: Order): string {
  const [compare, direction] = order === "newest" ? ["<", "desc"] : [">", "asc"];
  return `select d.id, d.made_at as at, (${FITS}) as fits from deliveries d cross join events e on e.seq = d.event
    where ${DRIVERS[driver]} and (d.made_at, d.id) ${compare} ($at, $id)${failedOnly ? " and d.state > 1" : ""}
      and d.made_at ${order === "newest" ? ">= $since" : "< $until"}
    order by d.made_at ${direction}, d.id ${direction}`;
}

export function callSql(order: Order): string {
  const [compare, direction] = order === "newest" ? ["<", "desc"] : [">", "asc"];
  return `select d.id, e.seq, (${FITS}) as fits from events e cross join deliveries d on d.event = e.seq
    where e.call = $call and e.seq ${compare}= $seq and (e.seq ${compare} $seq or d.id ${compare} $id)
    order by e.seq ${direction}, d.id ${direction}`;
}
