import type { SQL } from "bun";
import {
  DELIVERY_STATE_NAMES,
  UNSUCCESSFUL,
  type DeliveryFilter,
  type Page,
  type PageRequest,
} from "../../../../src/contracts/history";
import type { RoomSid } from "../../../../src/domain/ids";
import { END, readCursor } from "../../sql/cursor";
import { tenantOf } from "../../sql/tenant-of";
import { storableText } from "../storable-text";
import { readPage, type PageOptions, type Part } from "./read-page";

export type Order = "newest" | "oldest";
/** A `bigint` arrives as a string. */
type TimeRow = { id: string; made_at: string; fits: boolean };
type CallRow = { id: string; seq: string; fits: boolean };
type RoomRow = CallRow & { first_at: string; call: string };

/** Deliveries in the order of an index, with what the filter says of each. */
export class DeliveryScan {
  readonly #sql: SQL;

  constructor(sql: SQL) {
    this.#sql = sql;
  }

  /** @throws AppError `invalid_cursor` */
  async page(filter: DeliveryFilter, order: Order, { limit, after }: PageRequest): Promise<Page<{ id: string }>> {
    const own = tenantOf(filter.viewer);
    // Another tenant's are none.
    if (own !== null && filter.authId !== undefined && filter.authId !== own) return NOTHING;
    const tenant = own ?? filter.authId;
    if (filter.roomSid !== undefined) {
      const call = await this.#callOf(filter.roomSid, filter.room);
      if (call === undefined) return NOTHING;
      return readPage(this.#sql, { ...scanCall(this.#sql, filter, tenant, call, order, after), limit });
    }
    if (filter.room !== undefined) {
      return readPage(this.#sql, { ...scanRoom(this.#sql, filter, tenant, filter.room, order, after), limit });
    }
    const hooks = filter.host === undefined ? undefined : await this.#hooksOf(filter.host, tenant);
    if (hooks?.length === 0) return NOTHING;
    return readPage(this.#sql, { ...scanByTime(this.#sql, filter, tenant, hooks, order, after), limit });
  }

  async #hooksOf(host: string, tenant: string | undefined): Promise<string[]> {
    const sql = this.#sql;
    const rows = await sql<{ hook: string }[]>`select hook from known_hooks where host = ${storableText(host)}
      and (${tenant ?? null}::text is null or auth_id = ${tenant ?? null}) limit 2`;
    return rows.map(({ hook }) => hook);
  }

  async #callOf(sid: RoomSid, room: string | undefined): Promise<string | undefined> {
    const sql = this.#sql;
    const [call] = await sql<{ id: string }[]>`select id from calls where room_sid = ${storableText(sid)}
      and ${equals(sql, sql`room_name`, room)}`;
    return call?.id;
  }
}

const NOTHING: Page<never> = { entries: [], next: undefined };

/**
 * @param hooks of the filter's host: one of them, or two when there are more.
 * @throws AppError `invalid_cursor`
 */
export function scanByTime(
  sql: SQL,
  filter: DeliveryFilter,
  tenant: string | undefined,
  hooks: readonly string[] | undefined,
  order: Order,
  after: string | undefined,
): Omit<PageOptions<TimeRow>, "limit"> {
  const { since = 0, until = END } = filter;
  const begin = order === "newest" ? until : since;
  const [at = 0, id = 0] = after === undefined ? [begin, 0] : readCursor(after, 2);
  // A host that several tenants have had: what is theirs is found among all.
  const onlyHook = hooks?.length === 1 ? hooks[0] : undefined;
  const driver =
    onlyHook !== undefined
      ? sql`d.hook = ${onlyHook}`
      : tenant !== undefined && hooks === undefined
        ? sql`d.tenant = ${tenant}`
        : sql`true`;
  const states = filter.states ?? DELIVERY_STATE_NAMES;
  // Written out because only then the indexes of what did not arrive are used.
  const failed = states.every((state) => UNSUCCESSFUL.includes(state)) ? sql`and d.state > 1` : sql``;
  const position =
    order === "newest"
      ? sql`(d.made_at, d.id) < (${at}, ${id}) and d.made_at >= ${since}`
      : sql`(d.made_at, d.id) > (${at}, ${id}) and d.made_at < ${until}`;
  // In the place of a join, so that it is looked up only for the rows that are looked at.
  const name = sql`(select e.name from events e where e.seq = d.event)`;
  return {
    scan: sql`select d.id, d.made_at, (${fits(sql, filter, tenant, name)}) as fits
      from deliveries d where ${driver} and ${position} ${failed}`,
    order: order === "newest" ? sql`made_at desc, id desc` : sql`made_at, id`,
    position: (row) => [Number(row.made_at), Number(row.id)],
  };
}

/**
 * Of one call: the events in their order.
 *
 * @throws AppError `invalid_cursor`
 */
export function scanCall(
  sql: SQL,
  filter: DeliveryFilter,
  tenant: string | undefined,
  call: string,
  order: Order,
  after: string | undefined,
): Omit<PageOptions<CallRow>, "limit"> {
  const begin = order === "newest" ? END : 0;
  const [seq = 0, id = 0] = after === undefined ? [begin, begin] : readCursor(after, 2);
  // The first comparison is what the events' index can use.
  const position =
    order === "newest"
      ? sql`e.seq <= ${seq} and (e.seq, d.id) < (${seq}, ${id})`
      : sql`e.seq >= ${seq} and (e.seq, d.id) > (${seq}, ${id})`;
  return {
    scan: sql`select d.id, e.seq, (${fits(sql, filter, tenant, sql`e.name`)}) as fits
      from events e join deliveries d on d.event = e.seq where e.call = ${call} and ${position}`,
    order: order === "newest" ? sql`seq desc, id desc` : sql`seq, id`,
    position: (row) => [Number(row.seq), Number(row.id)],
  };
}

/**
 * Of the calls of a room one after the other, each read whole.
 *
 * @throws AppError `invalid_cursor`
 */
export function scanRoom(
  sql: SQL,
  filter: DeliveryFilter,
  tenant: string | undefined,
  room: string,
  order: Order,
  after: string | undefined,
): Omit<PageOptions<RoomRow>, "limit"> {
  const begin = order === "newest" ? END : 0;
  const [at = 0, call = 0, seq = 0, id = 0] = after === undefined ? [begin, begin, begin, begin] : readCursor(after, 4);
  // The first comparison is what the calls' index can use.
  const position =
    order === "newest"
      ? sql`(c.first_at, c.id) <= (${at}, ${call}) and (c.first_at, c.id, e.seq, d.id) < (${at}, ${call}, ${seq}, ${id})`
      : sql`(c.first_at, c.id) >= (${at}, ${call}) and (c.first_at, c.id, e.seq, d.id) > (${at}, ${call}, ${seq}, ${id})`;
  return {
    scan: sql`select d.id, c.first_at, c.id as call, e.seq, (${fits(sql, filter, tenant, sql`e.name`)}) as fits
      from calls c join events e on e.call = c.id join deliveries d on d.event = e.seq
      where c.room_name = ${storableText(room)} and ${position}`,
    order: order === "newest" ? sql`first_at desc, call desc, seq desc, id desc` : sql`first_at, call, seq, id`,
    position: (row) => [Number(row.first_at), Number(row.call), Number(row.seq), Number(row.id)],
  };
}

function fits(sql: SQL, filter: DeliveryFilter, tenant: string | undefined, eventName: Part): Part {
  const { since = 0, until = END, states = DELIVERY_STATE_NAMES, host } = filter;
  const numbers = states.map((state) => DELIVERY_STATE_NAMES.indexOf(state));
  const ofHost =
    host === undefined ? sql`true` : sql`d.hook in (select hook from known_hooks where host = ${storableText(host)})`;
  return sql`d.state = any(${sql.array(numbers, "INT")}) and ${equals(sql, sql`d.tenant`, tenant)} and ${ofHost}
    and ${equals(sql, eventName, filter.eventName)} and d.made_at >= ${since} and d.made_at < ${until}`;
}

/** That the column has this text, if one is asked for. */
export function equals(sql: SQL, column: Part, text: string | undefined): Part {
  return text === undefined ? sql`true` : sql`${column} = ${storableText(text)}`;
}
