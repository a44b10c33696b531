import type { SQL } from "bun";
import type { CallView, HookName } from "../../../../src/contracts/history";
import { roomSid } from "../../../../src/domain/ids";
import { hookName } from "../../sql/hook-name";
import { toParticipant, type ParticipantRow } from "../../sql/participant-row";
import { bigints } from "../array-parameters";
import { storableText } from "../storable-text";
import { numberOrNothing } from "./delivery-views";

/** More are not shown of one call: a conference of thousands would fill an answer of its own. */
const MAX_PARTICIPANTS = 500;
const MAX_HOOKS = 500;
/** Events that are looked through for whom a tenant was sent something of. */
const MAX_EVENTS = 2_000;

/** Calls as the history shows them. */
export class CallViews {
  readonly #sql: SQL;

  constructor(sql: SQL) {
    this.#sql = sql;
  }

  /** The id of the call's row. */
  async idOf(sid: string): Promise<string | undefined> {
    const [row] = await this.#sql<{ id: string }[]>`select id from calls where room_sid = ${storableText(sid)}`;
    return row?.id;
  }

  /**
   * In the order of the ids.
   *
   * @param tenant whose part of the calls is shown; null: all of it. Without those in which the tenant has no hook.
   */
  async views(ids: readonly string[], tenant: string | null): Promise<CallView[]> {
    if (ids.length === 0) return [];
    const [calls, hooks, participants] = await Promise.all([
      this.#calls(ids),
      this.#hooks(ids, tenant),
      this.#participants(ids, tenant),
    ]);
    return ids.flatMap((id) => {
      const call = calls.get(id);
      const own = hooks.get(id) ?? [];
      // Removed by retention meanwhile, or none of the tenant's.
      if (call === undefined || (tenant !== null && own.length === 0)) return [];
      const joined = own.reduce((first, { at }) => Math.min(first, Number(at)), Number.POSITIVE_INFINITY);
      return {
        roomSid: roomSid(call.room_sid),
        roomName: call.room_name,
        state: call.finished_at === null ? "active" : "finished",
        beganAt: tenant === null ? Number(call.first_at) : joined,
        finishedAt: numberOrNothing(call.finished_at),
        hooks: own.map((hook): HookName => hookName(hook.hook, hook.host, hook.auth_id)),
        participants: (participants.get(id) ?? []).map(toParticipant),
      };
    });
  }

  async #calls(ids: readonly string[]): Promise<ReadonlyMap<string, CallRow>> {
    const sql = this.#sql;
    const rows = await sql<CallRow[]>`select id, room_sid, room_name, first_at, finished_at from calls
      where id = any(${bigints(sql, ids)})`;
    return new Map(rows.map((row) => [row.id, row]));
  }

  async #hooks(ids: readonly string[], tenant: string | null): Promise<ReadonlyMap<string, HookRow[]>> {
    const sql = this.#sql;
    const rows = await sql<HookRow[]>`select h.call, h.hook, h.at, k.host, k.auth_id
      from unnest(${bigints(sql, ids)}::bigint[]) as asked (call)
        cross join lateral (select * from call_hooks h where h.call = asked.call
          and (${tenant}::text is null or h.tenant = ${tenant}) order by h.position limit ${MAX_HOOKS}) h
        left join known_hooks k on k.hook = h.hook
      order by h.call, h.position`;
    return Map.groupBy(rows, ({ call }) => call);
  }

  async #participants(ids: readonly string[], tenant: string | null): Promise<ReadonlyMap<string, RowOfCall[]>> {
    const sql = this.#sql;
    const rows = await sql<RowOfCall[]>`select p.*, k.host as hook_host, k.auth_id
      from unnest(${bigints(sql, ids)}::bigint[]) as asked (call)
        cross join lateral (select * from participants p where p.call = asked.call order by p.sid limit ${MAX_PARTICIPANTS}) p
        left join known_hooks k on k.hook = p.hook
      order by p.call, p.sid`;
    if (tenant === null) return Map.groupBy(rows, ({ call }) => call);
    const unhooked = rows.filter(({ hook }) => hook === null).map(({ call }) => call);
    const sent = await this.#sentSubjects([...new Set(unhooked)], tenant);
    const shown = rows.filter(({ call, hook, sid, auth_id: authId }) =>
      hook === null ? sent.has(`${call} ${sid}`) : authId === tenant,
    );
    return Map.groupBy(shown, ({ call }) => call);
  }

  /** Of whom the tenant was sent something. */
  async #sentSubjects(calls: readonly string[], tenant: string): Promise<ReadonlySet<string>> {
    if (calls.length === 0) return new Set();
    const sql = this.#sql;
    const rows = await sql<{ call: string; subject: string }[]>`select distinct asked.call, e.subject
      from unnest(${bigints(sql, calls)}::bigint[]) as asked (call)
        cross join lateral (select seq, subject from events e where e.call = asked.call order by seq limit ${MAX_EVENTS}) e
      where exists (select 1 from deliveries d where d.event = e.seq and d.tenant = ${tenant})`;
    return new Set(rows.map(({ call, subject }) => `${call} ${subject}`));
  }
}

/** A `bigint` arrives as a string. */
type CallRow = { id: string; room_sid: string; room_name: string; first_at: string; finished_at: string | null };
type HookRow = { call: string; hook: string; at: string; host: string | null; auth_id: string | null };
type RowOfCall = ParticipantRow & { call: string };
