import type { TransactionSQL } from "bun";
import { CALL_MEMORY_MS, FINISHED_CALL_MS, type CallMemory, type ParticipantRoute } from "../../../src/domain/call";
import { hookIdFrom, participantSid, roomSid, type ParticipantSid } from "../../../src/domain/ids";
import type { EarlierEvent } from "../../../src/domain/routing";
import type { ParticipantDetails } from "../../../src/domain/participant-details";
import { EVENT_STATES } from "../sql/states";
import { storableText } from "./storable-text";

type Sql = Pick<TransactionSQL, "unsafe" | "array">;

/** An event of the call, with its name: how a hook wants it may depend on that. */
export type KeptEvent = EarlierEvent & { readonly name: string };

/** A call while a batch is routed. What changes is written by `writeCalls`. */
export class KnownCall {
  memory: CallMemory;
  lastAt: number;
  finishedAt: number | undefined;
  readonly #before: CallMemory;
  readonly #details = new Map<ParticipantSid, ParticipantDetails>();
  readonly #hookTimes: number[] = [];
  readonly #added: (KeptEvent & { readonly held: boolean })[] = [];
  readonly #released = new Set<number>();
  /** As they are in the database; undefined while they have not been read. */
  #stored: { readonly all?: readonly KeptEvent[]; readonly held?: readonly KeptEvent[] };

  constructor(
    readonly id: number,
    memory: CallMemory,
    readonly firstAt: number,
    times: { readonly lastAt: number; readonly finishedAt: number | undefined },
    isNew: boolean,
  ) {
    this.memory = memory;
    this.#before = memory;
    this.lastAt = times.lastAt;
    this.finishedAt = times.finishedAt;
    this.#stored = isNew ? { all: [], held: [] } : {};
  }

  /** @param at when a hook that is new came into the call, ms since the epoch. */
  update(memory: CallMemory, detailsOf: (sid: ParticipantSid) => ParticipantDetails, at: number): void {
    for (const sid of memory.participants.keys()) {
      if (this.memory.participants.get(sid) !== memory.participants.get(sid)) this.#details.set(sid, detailsOf(sid));
    }
    while (this.#before.hooks.length + this.#hookTimes.length < memory.hooks.length) this.#hookTimes.push(at);
    this.memory = memory;
  }

  touch(at: number, finished: boolean): void {
    this.lastAt = at;
    if (finished) this.finishedAt = at;
  }

  addEvent(event: KeptEvent, held: boolean): void {
    this.#added.push({ ...event, held });
  }

  /** An event that was held goes to a hook now. */
  release(seq: number): void {
    this.#released.add(seq);
  }

  isReleased(seq: number): boolean {
    return this.#released.has(seq);
  }

  /** Those of them that were there before. */
  get releasedBefore(): readonly number[] {
    return [...this.#released].filter((seq) => !this.#added.some((event) => event.seq === seq));
  }

  /** Undefined while it has to be read. */
  earlier(which: "all" | "held"): readonly KeptEvent[] | undefined {
    const stored = this.#stored[which];
    if (stored === undefined) return undefined;
    if (which === "all") return [...stored, ...this.#added];
    return [...stored, ...this.#added.filter(({ held }) => held)].filter(({ seq }) => !this.#released.has(seq));
  }

  async read(tx: Sql, which: "all" | "held"): Promise<void> {
    const rows = (await tx.unsafe(
      "select seq, subject, name from events where call = $1" +
        `${which === "held" ? ` and state <> ${EVENT_STATES.routed}` : ""} order by seq`,
      [this.id],
    )) as { seq: string; subject: string; name: string }[];
    this.#stored = { ...this.#stored, [which]: rows.map(toKeptEvent) };
  }

  /** What has to be written of it. */
  changes() {
    const { id, memory, lastAt } = this;
    return {
      call: { id, last_at: lastAt, finished_at: this.finishedAt },
      participants: [...this.#details].map(([sid, details]) => {
        const route = memory.participants.get(sid);
        return {
          call: id,
          sid,
          hook: route?.kind === "hook" ? route.hook : undefined,
          sip: details.sip ? 1 : 0,
          identity: storable(details.identity),
          host: storable(details.host),
          matcher: storable(details.matcher),
          call_id: storable(details.callId),
          sip_call_id: storable(details.sipCallId),
          caller: storable(details.caller),
          callee: storable(details.callee),
        };
      }),
      hooks: this.#hookTimes.map((at, i) => {
        const position = this.#before.hooks.length + i;
        return { call: id, position, hook: memory.hooks[position], at };
      }),
    };
  }
}

/** Of these calls, the newest that an event without a room sid may belong to (routing rule 8). */
export function newestOf(calls: Iterable<KnownCall>, roomName: string, now: number): KnownCall | undefined {
  const candidates = [...calls].filter(({ memory, lastAt, finishedAt }) => {
    const isOpen = finishedAt === undefined || finishedAt >= now - FINISHED_CALL_MS;
    return memory.roomName === roomName && lastAt >= now - CALL_MEMORY_MS && isOpen;
  });
  return candidates.toSorted((a, b) => b.firstAt - a.firstAt || b.id - a.id)[0];
}

/** Room sids of calls of these names that are remembered. */
export async function findSids(sql: Sql, roomNames: readonly string[], now: number): Promise<string[]> {
  if (roomNames.length === 0) return [];
  const rows = (await sql.unsafe(
    "select room_sid from calls where room_name = any($1::text[]) and last_at >= $2 " +
      "and (finished_at is null or finished_at >= $3)",
    [sql.array([...roomNames], "TEXT"), now - CALL_MEMORY_MS, now - FINISHED_CALL_MS],
  )) as { room_sid: string }[];
  return rows.map((row) => row.room_sid);
}

/** The calls of these room sids, by sid. */
export async function readCalls(
  sql: Sql,
  sids: readonly string[],
  isNew: ReadonlySet<number> = new Set(),
): Promise<Map<string, KnownCall>> {
  const wanted = sql.array([...sids], "TEXT");
  const ofCalls = "call in (select id from calls where room_sid = any($1::text[]))";
  const [calls, hooks, participants] = (await Promise.all([
    sql.unsafe(
      "select id, room_sid, room_name, first_at, last_at, finished_at from calls where room_sid = any($1::text[])",
      [wanted],
    ),
    sql.unsafe(`select call, hook from call_hooks where ${ofCalls} order by call, position`, [wanted]),
    sql.unsafe(`select call, sid, hook from participants where ${ofCalls}`, [wanted]),
  ])) as [CallRow[], { call: string; hook: string }[], { call: string; sid: string; hook: string | null }[]];
  const hooksOf = Map.groupBy(hooks, ({ call }) => call);
  const participantsOf = Map.groupBy(participants, ({ call }) => call);
  return new Map(
    calls.map((row) => {
      const memory: CallMemory = {
        roomSid: roomSid(row.room_sid),
        roomName: row.room_name,
        hooks: (hooksOf.get(row.id) ?? []).map(({ hook }) => hookIdFrom(hook)),
        participants: new Map(
          (participantsOf.get(row.id) ?? []).map(({ sid, hook }) => [participantSid(sid), toRoute(hook)]),
        ),
      };
      const times = {
        lastAt: Number(row.last_at),
        finishedAt: row.finished_at === null ? undefined : Number(row.finished_at),
      };
      const id = Number(row.id);
      return [row.room_sid, new KnownCall(id, memory, Number(row.first_at), times, isNew.has(id))];
    }),
  );
}

/** Writes what has changed of these calls. */
export async function writeCalls(tx: Sql, calls: readonly KnownCall[]): Promise<void> {
  const changes = calls.map((call) => call.changes());
  const participants = changes.flatMap((change) => change.participants);
  const hooks = changes.flatMap((change) => change.hooks);
  const released = calls.flatMap((call) => call.releasedBefore);
  const json = (rows: readonly object[]) => [JSON.stringify(rows)];
  await Promise.all([
    tx.unsafe(
      `update calls c set last_at = x.last_at, finished_at = x.finished_at
       from json_to_recordset($1::text::json) as x (id bigint, last_at bigint, finished_at bigint) where c.id = x.id`,
      json(changes.map(({ call }) => call)),
    ),
    released.length === 0
      ? undefined
      : tx.unsafe(`update events set state = ${EVENT_STATES.routed} where seq = any($1::bigint[])`, [
          tx.array(released, "BIGINT"),
        ]),
    participants.length === 0
      ? undefined
      : tx.unsafe(
          `insert into participants (call, sid, hook, sip, identity, host, matcher, call_id, sip_call_id, caller, callee)
           select * from json_to_recordset($1::text::json) as x (call bigint, sid text, hook text, sip smallint, identity text,
             host text, matcher text, call_id text, sip_call_id text, caller text, callee text)
           on conflict (call, sid) do update set hook = excluded.hook, sip = excluded.sip, identity = excluded.identity,
             host = excluded.host, matcher = excluded.matcher, call_id = excluded.call_id,
             sip_call_id = excluded.sip_call_id, caller = excluded.caller, callee = excluded.callee`,
          json(participants),
        ),
    hooks.length === 0
      ? undefined
      : tx.unsafe(
          `insert into call_hooks (call, position, hook, at, tenant)
           select x.call, x.position, x.hook, x.at, (select auth_id from known_hooks k where k.hook = x.hook)
           from json_to_recordset($1::text::json) as x (call bigint, position integer, hook text, at bigint)`,
          json(hooks),
        ),
  ]);
}

type CallRow = {
  readonly id: string;
  readonly room_sid: string;
  readonly room_name: string;
  readonly first_at: string;
  readonly last_at: string;
  readonly finished_at: string | null;
};

function toRoute(hook: string | null): ParticipantRoute {
  return hook === null ? { kind: "room" } : { kind: "hook", hook: hookIdFrom(hook) };
}

function toKeptEvent({ seq, subject, name }: { seq: string; subject: string; name: string }): KeptEvent {
  const known = subject === "room" || subject === "unreadable" ? subject : participantSid(subject);
  return { seq: Number(seq), subject: known, name };
}

function storable(text: string | undefined): string | undefined {
  return text === undefined ? undefined : storableText(text);
}
