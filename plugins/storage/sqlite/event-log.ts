import type { Database } from "bun:sqlite";
import type { CommitResult, IncomingEvent, OwnerTask, UnmatchedCall } from "../../../src/contracts/storage";
import { participantSid, roomSid, type HookId } from "../../../src/domain/ids";
import { routeEvent, type EarlierEvent, type Routing } from "../../../src/domain/routing";
import { CallMemories, type KnownCall } from "./call-memories";
import type { DeliveryQueue } from "./delivery-queue";
import { EVENT_STATES } from "./schema";

/** Keeps events, and makes the deliveries that routing wants of them. */
export class EventLog {
  readonly #calls: CallMemories;
  readonly #queue: DeliveryQueue;
  readonly #statements;
  readonly #commitAll: (events: readonly IncomingEvent[], isActive: (hook: HookId) => boolean) => CommitResult[];

  constructor(db: Database, queue: DeliveryQueue) {
    this.#calls = new CallMemories(db);
    this.#queue = queue;
    this.#statements = prepareStatements(db);
    const transaction = db.transaction((events: readonly IncomingEvent[], isActive: (hook: HookId) => boolean) =>
      events.map((incoming) => this.#commitOne(incoming, isActive)),
    );
    this.#commitAll = transaction.immediate;
    this.#listAll = db.transaction((heldBefore: number) => this.#list(heldBefore)).immediate;
  }

  commit(events: readonly IncomingEvent[], isActive: (hook: HookId) => boolean): CommitResult[] {
    this.#calls.begin();
    try {
      const results = this.#commitAll(events, isActive);
      this.#calls.keep();
      return results;
    } catch (error) {
      this.#calls.forget();
      throw error;
    }
  }

  readonly #listAll: (heldBefore: number) => UnmatchedCall[];

  listUnmatched(heldBefore: number): UnmatchedCall[] {
    // A look first: without it every idle second would write.
    return this.#statements.overdue.all(heldBefore).length === 0 ? [] : this.#listAll(heldBefore);
  }

  ownerTasks(): OwnerTask[] {
    return this.#statements.openTasks.all().map((row) => {
      return { roomSid: roomSid(row.room_sid), roomName: row.room_name, authId: row.auth_id };
    });
  }

  ownerTaskDone(task: Pick<OwnerTask, "roomSid" | "authId">): void {
    this.#statements.closeTask.run(task.authId, task.roomSid);
  }

  #commitOne(incoming: IncomingEvent, isActive: (hook: HookId) => boolean): CommitResult {
    const { event, receivedAt } = incoming;
    const roomName = event.roomName ?? "";
    if (this.#statements.exists.get(event.id) !== null) return { kind: "duplicate" };
    const call =
      event.roomSid === undefined
        ? this.#calls.newestOf(roomName, receivedAt)
        : this.#calls.of(event.roomSid, roomName, receivedAt);
    if (call === undefined) {
      this.#insert(incoming, undefined, true);
      return {
        kind: "kept",
        roomSid: undefined,
        hooks: [],
        held: true,
        unmatchedParticipant: false,
        ownerTask: undefined,
      };
    }
    const routing = routeEvent(call.memory, event, incoming.match, (which) => this.#earlier(call, which));
    const seq = this.#insert(incoming, call, routing.held);
    this.#calls.update(call, routing.call);
    this.#calls.touch(call, receivedAt, event.name === "room_finished");
    const hooks = this.#addDeliveries(routing, call, seq, receivedAt, isActive);
    return {
      kind: "kept",
      roomSid: call.memory.roomSid,
      hooks,
      held: routing.held,
      unmatchedParticipant: routing.unmatchedParticipant,
      ownerTask: this.#addOwnerTask(incoming, routing, call),
    };
  }

  #insert({ event, contentType, body, receivedAt }: IncomingEvent, call: KnownCall | undefined, held: boolean): number {
    const { lastInsertRowid } = this.#statements.insert.run(
      event.id,
      call?.id ?? null,
      event.roomName ?? "",
      event.name,
      event.subject.kind === "participant" ? event.subject.sid : event.subject.kind,
      event.createdAt ?? null,
      receivedAt,
      held ? EVENT_STATES.held : EVENT_STATES.routed,
      contentType,
      body,
    );
    return Number(lastInsertRowid);
  }

  #earlier(call: KnownCall, which: "all" | "held"): EarlierEvent[] {
    const rows = which === "all" ? this.#statements.all.all(call.id) : this.#statements.held.all(call.id);
    return rows.map(({ seq, subject }): EarlierEvent => {
      return { seq, subject: subject === "room" || subject === "unreadable" ? subject : participantSid(subject) };
    });
  }

  #addDeliveries(
    routing: Routing,
    call: KnownCall,
    thisSeq: number,
    now: number,
    isActive: (hook: HookId) => boolean,
  ): readonly HookId[] {
    const woken = new Set<HookId>();
    for (const { event, hook } of routing.deliveries) {
      if (event !== "this") this.#statements.markRouted.run(event);
      const active = isActive(hook);
      this.#queue.add({ hook, call: call.id, event: event === "this" ? thisSeq : event, now, active });
      if (active) woken.add(hook);
    }
    return [...woken];
  }

  #addOwnerTask({ match }: IncomingEvent, routing: Routing, call: KnownCall): OwnerTask | undefined {
    // Only the event that decided a participant changes the memory, and only then does the match count.
    if (match?.kind !== "hook" || match.owner === undefined || routing.call === call.memory) return undefined;
    const { changes } = this.#statements.addTask.run(call.id, match.owner);
    const { roomSid: sid, roomName } = call.memory;
    return changes === 0 ? undefined : { roomSid: sid, roomName, authId: match.owner };
  }

  #list(heldBefore: number): UnmatchedCall[] {
    const calls = new Map<number | null, { roomSid: string | null; roomName: string; events: number }>();
    for (const row of this.#statements.overdue.all(heldBefore)) {
      this.#statements.markUnmatched.run(row.seq);
      const known = calls.get(row.call) ?? { roomSid: row.room_sid, roomName: row.room_name, events: 0 };
      calls.set(row.call, { ...known, events: known.events + 1 });
    }
    return [...calls.values()].map((c) => ({ ...c, roomSid: c.roomSid === null ? undefined : roomSid(c.roomSid) }));
  }
}

type OverdueRow = { seq: number; call: number | null; room_sid: string | null; room_name: string };

function prepareStatements(db: Database) {
  return {
    exists: db.query<{ seq: number }, [string]>("select seq from events where id = ?"),
    insert: db.query<
      unknown,
      [string, number | null, string, string, string, number | null, number, number, string, Uint8Array]
    >(
      "insert into events (id, call, room_name, name, subject, created_at, received_at, state, content_type, body) " +
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ),
    all: db.query<{ seq: number; subject: string }, [number]>(
      "select seq, subject from events where call = ? order by seq",
    ),
    held: db.query<{ seq: number; subject: string }, [number]>(
      "select seq, subject from events where call = ? and state <> 0 order by seq",
    ),
    markRouted: db.query<unknown, [number]>(`update events set state = ${EVENT_STATES.routed} where seq = ?`),
    markUnmatched: db.query<unknown, [number]>(`update events set state = ${EVENT_STATES.unmatched} where seq = ?`),
    overdue: db.query<OverdueRow, [number]>(
      "select e.seq, e.call, c.room_sid, e.room_name from events e left join calls c on c.id = e.call " +
        "where e.state = 1 and (e.received_at <= ? or c.finished_at is not null) order by e.seq limit 1000",
    ),
    addTask: db.query<unknown, [number, string]>("insert or ignore into owner_tasks (call, auth_id) values (?, ?)"),
    openTasks: db.query<{ room_sid: string; room_name: string; auth_id: string }, []>(
      "select c.room_sid, c.room_name, t.auth_id from owner_tasks t join calls c on c.id = t.call " +
        "where t.done = 0 and c.finished_at is null order by t.call",
    ),
    closeTask: db.query<unknown, [string, string]>(
      "update owner_tasks set done = 1 where auth_id = ? and call = (select id from calls where room_sid = ?)",
    ),
  };
}
