import type { Database } from "bun:sqlite";
import type { CallFilter } from "../../../../src/contracts/history";
import { END, readCursor } from "../../sql/cursor";
import type { ScannedRow } from "../../sql/take-page";
import { tenantOf } from "../../sql/tenant-of";
import { prepare } from "../prepare";

export type ScannedCall = ScannedRow & { readonly id: number };

type Params = Record<string, string | number | null>;
type Row = { id: number; at: number; fits: number };

/**
 * A `+` keeps SQLite from going through all that the tenant has, instead of through what the call has.
 *
 * What this tenant may know of a participant (`p`): its own callers, and those without a hook of whom it was sent something.
 * Otherwise a search would tell who else is in a shared room.
 */
const VISIBLE = `($tenant is null or p.hook in (select hook from known_hooks where auth_id = $tenant)
  or (p.hook is null and exists (select 1 from events e join deliveries d on d.event = e.seq
    where e.call = p.call and e.subject = p.sid and +d.tenant = $tenant)))`;

const has = (column: string) =>
  `($${column} is null or exists (select 1 from participants p where p.call = c.id and p.${column} = $${column} and ${VISIBLE}))`;

/** When the call began for who asks. */
const BEGAN = `case when $tenant is null then c.first_at
  else (select min(h.at) from call_hooks h where h.call = c.id and +h.tenant = $tenant) end`;

const FITS = `($tenant is null or exists (select 1 from call_hooks h where h.call = c.id and +h.tenant = $tenant))
  and ($state is null or (c.finished_at is not null) = ($state = 'finished'))
  and ($room is null or c.room_name = $room)
  and ($host is null or exists (select 1 from call_hooks h join known_hooks k on k.hook = h.hook
    where h.call = c.id and k.host = $host and ($tenant is null or +h.tenant = $tenant)))
  and ${has("sip_call_id")} and ${has("caller")} and ${has("callee")}
  and ${BEGAN} >= $since and ${BEGAN} < $until`;

const page = (at: string, id: string) =>
  `(${at}, ${id}) < ($at, $id) and ${at} >= $since order by ${at} desc, ${id} desc`;

const ofParticipant = (column: string) =>
  `select p.call as id, 0 as at, (${FITS}) as fits from participants p cross join calls c on c.id = p.call
   where p.${column} = $${column} and p.call < $id order by p.call desc`;

/** By what finds the calls: an index that has them newest first. */
export const CALL_SQL = {
  sip_call_id: ofParticipant("sip_call_id"),
  caller: ofParticipant("caller"),
  callee: ofParticipant("callee"),
  room: `select c.id, c.first_at as at, (${FITS}) as fits from calls c where c.room_name = $room and ${page("c.first_at", "c.id")}`,
  hook: `select h.call as id, h.at, (${FITS}) as fits from call_hooks h cross join calls c on c.id = h.call
    where h.hook = $hook and ${page("h.at", "h.call")}`,
  tenant: `select h.call as id, h.at, (${FITS}) as fits from call_hooks h cross join calls c on c.id = h.call
    where h.tenant = $tenant and ${page("h.at", "h.call")}`,
  active: `select c.id, c.first_at as at, (${FITS}) as fits from calls c
    where c.finished_at is null and ${page("c.first_at", "c.id")}`,
  time: `select c.id, c.first_at as at, (${FITS}) as fits from calls c where ${page("c.first_at", "c.id")}`,
} as const;

/** Calls in the order of an index, newest first, with what the filter says of each. */
export class CallScan {
  readonly #db: Database;
  readonly #hooksOf;

  constructor(db: Database) {
    this.#db = db;
    this.#hooksOf = prepare<{ hook: string }, [string, string | null]>(
      db,
      "select hook from known_hooks where host = ?1 and (?2 is null or auth_id = ?2) limit 2",
    );
  }

  /** @throws AppError `invalid_cursor` */
  *rows(filter: CallFilter, after: string | undefined): Iterable<ScannedCall> {
    const tenant = tenantOf(filter.viewer);
    const hooks =
      filter.host === undefined ? undefined : this.#hooksOf.all(filter.host, tenant).map(({ hook }) => hook);
    if (hooks?.length === 0) return;
    const driver = driverOf(filter, tenant, hooks);
    const params: Params = {
      tenant,
      state: filter.state ?? null,
      room: filter.room ?? null,
      host: filter.host ?? null,
      sip_call_id: filter.sipCallId ?? null,
      caller: filter.caller ?? null,
      callee: filter.callee ?? null,
      since: filter.since ?? 0,
      until: filter.until ?? END,
      ...(driver === "hook" ? { hook: hooks?.[0] ?? null } : {}),
    };
    // A hook may have come into the call after `until`, a call that began before it.
    const begin =
      driver === "hook" || driver in { sip_call_id: 0, caller: 0, callee: 0 } ? END : Number(params["until"]);
    const [at = 0, id = 0] = after === undefined ? [begin, begin === END ? END : 0] : readCursor(after, 2);
    const byParticipant = driver === "sip_call_id" || driver === "caller" || driver === "callee";
    let last: number | undefined;
    for (const row of prepare<Row, [Params]>(this.#db, CALL_SQL[driver]).iterate({
      ...params,
      id,
      ...(byParticipant ? {} : { at }),
    })) {
      // Two participants, or two hooks of one tenant: they follow each other, or nearly so.
      if (row.id === last) continue;
      last = row.id;
      yield { id: row.id, fits: row.fits === 1, position: [row.at, row.id] };
    }
  }
}

function driverOf(filter: CallFilter, tenant: string | null, hooks: readonly string[] | undefined) {
  if (filter.sipCallId !== undefined) return "sip_call_id";
  if (filter.caller !== undefined) return "caller";
  if (filter.callee !== undefined) return "callee";
  if (filter.room !== undefined) return "room";
  if (hooks?.length === 1) return "hook";
  if (tenant !== null) return "tenant";
  return filter.state === "active" ? "active" : "time";
}
