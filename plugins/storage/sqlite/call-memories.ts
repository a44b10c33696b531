import type { Database } from "bun:sqlite";
import {
  CALL_MEMORY_MS,
  FINISHED_CALL_MS,
  newCall,
  type CallMemory,
  type ParticipantRoute,
} from "../../../src/domain/call";
import {
  hookIdFrom,
  participantSid,
  roomSid,
  type HookId,
  type ParticipantSid,
  type RoomSid,
} from "../../../src/domain/ids";
import type { ParticipantDetails } from "../../../src/domain/participant-details";
import { prepare } from "./prepare";

/** A call as it is in the database. */
export type KnownCall = {
  /** Of its row. */
  readonly id: number;
  readonly memory: CallMemory;
  /** Its lanes that are known, by their hooks. */
  readonly lanes: Map<HookId, number>;
  /** `last_at` of its row. */
  touchedAt: number;
  /** Its room has finished: little comes after that. */
  finished: boolean;
};

/** Calls kept in memory; the others are read again when their next event comes. */
const CACHED_CALLS = 10_000;
/** The time of a call's last event is written as often as this: a call is remembered for so much longer or shorter. */
const TOUCH_MS = 60_000;

/**
 * The memories of calls. Reads go through a cache, which takes a change over only when its transaction has been
 * committed: `begin` before it, then `keep` or `forget`.
 */
export class CallMemories {
  readonly #cache = new Map<RoomSid, KnownCall>();
  #uncommitted = new Map<RoomSid, KnownCall>();
  readonly #statements;

  constructor(db: Database) {
    this.#statements = prepareStatements(db);
  }

  begin(): void {
    this.#uncommitted = new Map();
  }

  keep(): void {
    for (const [sid, call] of this.#uncommitted) {
      this.#cache.delete(sid);
      if (!call.finished) this.#cache.set(sid, call);
    }
    for (const sid of this.#cache.keys()) {
      if (this.#cache.size <= CACHED_CALLS) break;
      this.#cache.delete(sid);
    }
    this.#uncommitted = new Map();
  }

  /** What the transaction did not keep is forgotten with all that is known of its calls. */
  forget(): void {
    for (const sid of this.#uncommitted.keys()) this.#cache.delete(sid);
    this.#uncommitted = new Map();
  }

  drop(sids: readonly RoomSid[]): void {
    for (const sid of sids) this.#cache.delete(sid);
  }

  /** The call of this room sid, made when it is not known. */
  of(sid: RoomSid, roomName: string, now: number): KnownCall {
    const known = this.find(sid);
    if (known !== undefined) return known;
    const { lastInsertRowid } = this.#statements.insert.run(sid, roomName, now, now);
    return this.#remember({
      id: Number(lastInsertRowid),
      memory: newCall(sid, roomName),
      lanes: new Map(),
      touchedAt: now,
      finished: false,
    });
  }

  find(sid: RoomSid): KnownCall | undefined {
    const known = this.#uncommitted.get(sid);
    if (known !== undefined) return known;
    const cached = this.#cache.get(sid);
    return cached === undefined ? this.#read(sid) : this.#remember(cached);
  }

  /** The newest call of this room name that has not been finished for more than an hour (routing rule 8). */
  newestOf(roomName: string, now: number): KnownCall | undefined {
    const row = this.#statements.newest.get(roomName, now - CALL_MEMORY_MS, now - FINISHED_CALL_MS);
    return row === null ? undefined : this.of(roomSid(row.room_sid), roomName, now);
  }

  /** An event of the call came. */
  touch(call: KnownCall, now: number, finished: boolean): void {
    if (finished) this.#statements.finish.run(now, now, call.id);
    else if (now - call.touchedAt >= TOUCH_MS) this.#statements.touch.run(now, call.id);
    else return;
    call.touchedAt = now;
    call.finished = finished;
  }

  /**
   * Writes what routing added to the memory.
   *
   * @param details of the participant that was decided, if one was.
   * @param now when a hook that is new came into the call, ms since the epoch.
   */
  update(call: KnownCall, memory: CallMemory, details: ParticipantDetails, now: number): KnownCall {
    if (memory === call.memory) return call;
    for (const [sid, route] of memory.participants) {
      if (call.memory.participants.has(sid)) continue;
      this.#addParticipant(call.id, sid, route, details);
    }
    this.#addHooks(call, memory, now);
    return this.#remember({ ...call, memory });
  }

  /**
   * Writes the memory of a call that had no hook and was routed from its beginning; participants are decided anew. Its hooks
   * count as there since the beginning: they get all of it, and their tenants look for it by the time of the call.
   */
  replace(call: KnownCall, memory: CallMemory, detailsOf: (sid: ParticipantSid) => ParticipantDetails): KnownCall {
    for (const [sid, route] of memory.participants) this.#addParticipant(call.id, sid, route, detailsOf(sid));
    this.#addHooks(call, memory, this.#statements.began.get(call.id)?.first_at ?? 0);
    return this.#remember({ ...call, memory });
  }

  #addHooks(call: KnownCall, memory: CallMemory, now: number): void {
    for (let i = call.memory.hooks.length; i < memory.hooks.length; i++) {
      this.#statements.addHook.run(call.id, i, memory.hooks[i] ?? "", now);
    }
  }

  #addParticipant(call: number, sid: ParticipantSid, route: ParticipantRoute, details: ParticipantDetails): void {
    this.#statements.addParticipant.run(
      call,
      sid,
      route.kind === "hook" ? route.hook : null,
      details.sip ? 1 : 0,
      details.identity ?? null,
      details.host ?? null,
      details.matcher ?? null,
      details.callId ?? null,
      details.sipCallId ?? null,
      details.caller ?? null,
      details.callee ?? null,
    );
  }

  #remember(call: KnownCall): KnownCall {
    this.#uncommitted.set(call.memory.roomSid, call);
    return call;
  }

  #read(sid: RoomSid): KnownCall | undefined {
    const row = this.#statements.find.get(sid);
    if (row === null) return undefined;
    const hooks = this.#statements.hooks.all(row.id).map((hook): HookId => hookIdFrom(hook.hook));
    const participants = new Map(
      this.#statements.participants.all(row.id).map((p): [ParticipantSid, ParticipantRoute] => {
        return [participantSid(p.sid), p.hook === null ? { kind: "room" } : { kind: "hook", hook: hookIdFrom(p.hook) }];
      }),
    );
    const memory = { roomSid: sid, roomName: row.room_name, hooks, participants };
    return this.#remember({ id: row.id, memory, lanes: new Map(), touchedAt: row.last_at, finished: false });
  }
}

function prepareStatements(db: Database) {
  return {
    find: prepare<{ id: number; room_name: string; last_at: number }, [string]>(
      db,
      "select id, room_name, last_at from calls where room_sid = ?",
    ),
    newest: prepare<{ room_sid: string }, [string, number, number]>(
      db,
      "select room_sid from calls where room_name = ? and last_at >= ? and (finished_at is null or finished_at >= ?) " +
        "order by first_at desc, id desc limit 1",
    ),
    hooks: prepare<{ hook: string }, [number]>(db, "select hook from call_hooks where call = ? order by position"),
    participants: prepare<{ sid: string; hook: string | null }, [number]>(
      db,
      "select sid, hook from participants where call = ?",
    ),
    insert: prepare<unknown, [string, string, number, number]>(
      db,
      "insert into calls (room_sid, room_name, first_at, last_at) values (?, ?, ?, ?)",
    ),
    began: prepare<{ first_at: number }, [number]>(db, "select first_at from calls where id = ?"),
    touch: prepare<unknown, [number, number]>(db, "update calls set last_at = ? where id = ?"),
    finish: prepare<unknown, [number, number, number]>(
      db,
      "update calls set last_at = ?, finished_at = ? where id = ?",
    ),
    addParticipant: prepare<unknown, [number, string, string | null, number, ...(string | null)[]]>(
      db,
      "insert or replace into participants (call, sid, hook, sip, identity, host, matcher, call_id, sip_call_id, caller, callee) " +
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ),
    addHook: prepare<unknown, [number, number, string, number]>(
      db,
      "insert into call_hooks (call, position, hook, at, tenant) " +
        "values (?1, ?2, ?3, ?4, (select auth_id from known_hooks where hook = ?3))",
    ),
  };
}
