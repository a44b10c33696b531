import type { Database } from "bun:sqlite";
import type { CallView, HookName, ParticipantView } from "../../../../src/contracts/history";
import { roomSid } from "../../../../src/domain/ids";
import { hookName } from "../../sql/hook-name";
import { toParticipant, type ParticipantRow } from "../../sql/participant-row";
import { prepare } from "../prepare";

/** More are not shown of one call: a conference of thousands would fill an answer of its own. */
const MAX_PARTICIPANTS = 500;
const MAX_HOOKS = 500;
/** Events that are looked through for whom a tenant was sent something of. */
const MAX_EVENTS = 2_000;

/** Calls as the history shows them. */
export class CallViews {
  readonly #statements;

  constructor(db: Database) {
    this.#statements = prepareStatements(db);
  }

  /** The id of the call's row. */
  idOf(sid: string): number | undefined {
    return this.#statements.idOf.get(sid)?.id;
  }

  /** @param tenant whose part of the call is shown; null: all of it. Undefined for a tenant without a hook in it. */
  view(id: number, tenant: string | null): CallView | undefined {
    const call = this.#statements.call.get(id);
    if (call === null) return undefined;
    const hooks = this.#statements.hooks.all(id, tenant, MAX_HOOKS);
    if (tenant !== null && hooks.length === 0) return undefined;
    const joined = hooks.reduce((first, { at }) => Math.min(first, at), Number.POSITIVE_INFINITY);
    return {
      roomSid: roomSid(call.room_sid),
      roomName: call.room_name,
      state: call.finished_at === null ? "active" : "finished",
      beganAt: tenant === null ? call.first_at : joined,
      finishedAt: call.finished_at ?? undefined,
      hooks: hooks.map((hook): HookName => hookName(hook.hook, hook.host, hook.auth_id)),
      participants: this.#participants(id, tenant),
    };
  }

  #participants(call: number, tenant: string | null): ParticipantView[] {
    const rows = this.#statements.participants.all(call, MAX_PARTICIPANTS);
    if (tenant === null) return rows.map(toParticipant);
    const shown = rows.some(({ hook }) => hook === null)
      ? new Set(this.#statements.sentSubjects.all(call, tenant, MAX_EVENTS).map(({ subject }) => subject))
      : new Set<string>();
    return rows
      .filter(({ hook, auth_id: authId, sid }) => (hook === null ? shown.has(sid) : authId === tenant))
      .map(toParticipant);
  }
}

function prepareStatements(db: Database) {
  return {
    idOf: prepare<{ id: number }, [string]>(db, "select id from calls where room_sid = ?"),
    call: prepare<{ room_sid: string; room_name: string; first_at: number; finished_at: number | null }, [number]>(
      db,
      "select room_sid, room_name, first_at, finished_at from calls where id = ?",
    ),
    hooks: prepare<
      { hook: string; at: number; host: string | null; auth_id: string | null },
      [number, string | null, number]
    >(
      db,
      "select h.hook, h.at, k.host, k.auth_id from call_hooks h left join known_hooks k on k.hook = h.hook " +
        "where h.call = ?1 and (?2 is null or h.tenant = ?2) order by h.position limit ?3",
    ),
    participants: prepare<ParticipantRow, [number, number]>(
      db,
      "select p.sid, p.hook, k.host as hook_host, k.auth_id, p.sip, p.identity, p.host, p.matcher, p.call_id, " +
        "p.sip_call_id, p.caller, p.callee from participants p left join known_hooks k on k.hook = p.hook " +
        "where p.call = ? order by p.sid limit ?",
    ),
    sentSubjects: prepare<{ subject: string }, [number, string, number]>(
      db,
      "select distinct subject from (select seq, subject from events where call = ?1 order by seq limit ?3) as first_events " +
        "where exists (select 1 from deliveries d where d.event = seq and +d.tenant = ?2)",
    ),
  };
}
