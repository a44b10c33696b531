import type { SQL } from "bun";
import type { CallFilter, Page, PageRequest } from "../../../../src/contracts/history";
import { END, readCursor } from "../../sql/cursor";
import { tenantOf } from "../../sql/tenant-of";
import { storableText } from "../storable-text";
import { equals } from "./delivery-scan";
import { readPage, type PageOptions, type Part } from "./read-page";

/** A `bigint` arrives as a string. */
type Row = { id: string; began: string; fits: boolean };
type Scan = Omit<PageOptions<Row>, "limit">;

/** Calls in the order of an index, newest first, with what the filter says of each. */
export class CallScan {
  readonly #sql: SQL;

  constructor(sql: SQL) {
    this.#sql = sql;
  }

  /** @throws AppError `invalid_cursor` */
  async page(filter: CallFilter, { limit, after }: PageRequest): Promise<Page<{ id: string }>> {
    const hooks = filter.host === undefined ? undefined : await this.#hooksOf(filter.host, tenantOf(filter.viewer));
    if (hooks?.length === 0) return { entries: [], next: undefined };
    return readPage(this.#sql, { ...callScan(this.#sql, filter, hooks, after), limit });
  }

  async #hooksOf(host: string, tenant: string | null): Promise<string[]> {
    const sql = this.#sql;
    const rows = await sql<{ hook: string }[]>`select hook from known_hooks where host = ${storableText(host)}
      and (${tenant}::text is null or auth_id = ${tenant}) limit 2`;
    return rows.map(({ hook }) => hook);
  }
}

/**
 * What finds the calls is an index that has them newest first.
 *
 * @param hooks of the filter's host: one of them, or two when there are more.
 * @throws AppError `invalid_cursor`
 */
export function callScan(
  sql: SQL,
  filter: CallFilter,
  hooks: readonly string[] | undefined,
  after: string | undefined,
): Scan {
  const tenant = tenantOf(filter.viewer);
  for (const [column, text] of participantFilters(sql, filter)) {
    if (text !== undefined) return byParticipant(sql, filter, sql`${column} = ${storableText(text)}`, after);
  }
  if (filter.room !== undefined) return byCall(sql, filter, equals(sql, sql`c.room_name`, filter.room), after);
  if (hooks?.length === 1) return byHook(sql, filter, equals(sql, sql`h.hook`, hooks[0]), sql`true`, after);
  if (tenant !== null) {
    // With several hooks of the tenant in a call it comes once.
    const first = sql`not exists (select 1 from call_hooks o where o.call = h.call and o.tenant = h.tenant
      and (o.at, o.position) < (h.at, h.position))`;
    return byHook(sql, filter, sql`h.tenant = ${tenant}`, first, after);
  }
  return byCall(sql, filter, filter.state === "active" ? sql`c.finished_at is null` : sql`true`, after);
}

function byParticipant(sql: SQL, filter: CallFilter, which: Part, after: string | undefined): Scan {
  const [, id = 0] = after === undefined ? [END, END] : readCursor(after, 2);
  return {
    // `0`, because the ids of calls alone are their order here.
    scan: sql`select p.call as id, 0 as began, (${fits(sql, filter)}) as fits
      from (select distinct call from participants p where ${which} and p.call < ${id} order by call desc) p
      join calls c on c.id = p.call where true`,
    order: sql`id desc`,
    position: (row) => [0, Number(row.id)],
  };
}

function byHook(sql: SQL, filter: CallFilter, which: Part, once: Part, after: string | undefined): Scan {
  // A hook may have come into the call after `until`, a call that began before it.
  const [at = 0, id = 0] = after === undefined ? [END, END] : readCursor(after, 2);
  return {
    scan: sql`select h.call as id, h.at as began, (${once} and ${fits(sql, filter)}) as fits from call_hooks h join calls c on c.id = h.call
      where ${which} and (h.at, h.call) < (${at}, ${id}) and h.at >= ${filter.since ?? 0}`,
    order: NEWEST(sql),
    position,
  };
}

function byCall(sql: SQL, filter: CallFilter, which: Part, after: string | undefined): Scan {
  const { since = 0, until = END } = filter;
  const [at = 0, id = 0] = after === undefined ? [until, 0] : readCursor(after, 2);
  return {
    scan: sql`select c.id, c.first_at as began, (${fits(sql, filter)}) as fits from calls c
      where ${which} and (c.first_at, c.id) < (${at}, ${id}) and c.first_at >= ${since}`,
    order: NEWEST(sql),
    position,
  };
}

const NEWEST = (sql: SQL) => sql`began desc, id desc`;
const position = (row: Row) => [Number(row.began), Number(row.id)];

function participantFilters(sql: SQL, filter: CallFilter): [Part, string | undefined][] {
  return [
    [sql`p.sip_call_id`, filter.sipCallId],
    [sql`p.caller`, filter.caller],
    [sql`p.callee`, filter.callee],
  ];
}

/** What the filter says of a call `c`. */
function fits(sql: SQL, filter: CallFilter): Part {
  const tenant = tenantOf(filter.viewer);
  const { host, since = 0, until = END } = filter;
  const ofTenant = (table: Part) => (tenant === null ? sql`true` : sql`${table}.tenant = ${tenant}`);
  const inIt = sql`exists (select 1 from call_hooks f where f.call = c.id and ${ofTenant(sql`f`)})`;
  const calledHost = sql`exists (select 1 from call_hooks f join known_hooks k on k.hook = f.hook
    where f.call = c.id and k.host = ${storableText(host ?? "")} and ${ofTenant(sql`f`)})`;
  const finished = sql`(c.finished_at is not null) = ${filter.state === "finished"}`;
  // When the call began for who asks.
  const began =
    tenant === null
      ? sql`c.first_at`
      : sql`(select min(f.at) from call_hooks f where f.call = c.id and f.tenant = ${tenant})`;
  const participants = participantFilters(sql, filter).map(([column, text]) =>
    text === undefined
      ? sql`true`
      : sql`exists (select 1 from participants p where p.call = c.id and ${column} = ${storableText(text)}
          and ${visible(sql, tenant)})`,
  );
  return sql`${tenant === null ? sql`true` : inIt} and ${host === undefined ? sql`true` : calledHost}
    and ${filter.state === undefined ? sql`true` : finished} and ${equals(sql, sql`c.room_name`, filter.room)}
    and ${participants[0] ?? sql`true`} and ${participants[1] ?? sql`true`} and ${participants[2] ?? sql`true`}
    and ${began} >= ${since} and ${began} < ${until}`;
}

/**
 * What a tenant may know of a participant `p`: its own callers, and those without a hook of whom it was sent something.
 * Otherwise a search would tell who else is in a shared room.
 */
function visible(sql: SQL, tenant: string | null): Part {
  if (tenant === null) return sql`true`;
  return sql`(p.hook in (select hook from known_hooks where auth_id = ${tenant})
    or (p.hook is null and exists (select 1 from events e join deliveries d on d.event = e.seq
      where e.call = p.call and e.subject = p.sid and d.tenant = ${tenant})))`;
}
