import type { Database } from "bun:sqlite";
import type {
  CommitResult,
  IncomingEvent,
  OwnerTask,
  PlanDelivery,
  UnmatchedCall,
} from "../../../src/contracts/storage";
import {
  eventId,
  participantSid,
  roomSid,
  type HookId,
  type ParticipantSid,
  type RoomSid,
} from "../../../src/domain/ids";
import type { Remembered, RouteAgainOptions, RoutedAgain, StoredEvent } from "../../../src/contracts/history";
import type { LiveKitEvent } from "../../../src/domain/livekit-event";
import { describeParticipant } from "../../../src/domain/participant-details";
import { routeAgain, type EventToRoute } from "../../../src/domain/route-again";
import { routeEvent, type EarlierEvent, type Match, type Routing } from "../../../src/domain/routing";
import { CallMemories, type KnownCall } from "./call-memories";
import type { DeliveryQueue } from "./delivery-queue";
import { EVENT_STATES } from "../sql/states";
import { prepare } from "./prepare";

/** A call with more events is not routed again: it would hold up the acknowledgements. 1,000 take 20 ms. */
const MAX_ROUTED_AGAIN = 2_000;
const DUPLICATE = { kind: "duplicate" } as const;
const NOBODY = { event: { subject: { kind: "room" } }, match: undefined } as const;

/** Keeps events, and makes the deliveries that routing wants of them. */
export class EventLog {
  readonly #calls: CallMemories;
  readonly #queue: DeliveryQueue;
  readonly #statements;
  readonly #commitAll: (events: readonly IncomingEvent[], plan: PlanDelivery, now: number) => CommitResult[];

  constructor(db: Database, queue: DeliveryQueue) {
    this.#calls = new CallMemories(db);
    this.#queue = queue;
    this.#statements = prepareStatements(db);
    const transaction = db.transaction((events: readonly IncomingEvent[], plan: PlanDelivery, now: number) =>
      events.map((incoming) => this.#commitOne(incoming, plan, now)),
    );
    this.#commitAll = transaction.immediate;
    this.#routeAllAgain = db.transaction((sid: RoomSid, again: readonly EventToRoute[], options: RouteAgainOptions) =>
      this.#routeAgain(sid, again, options),
    ).immediate;
    this.#listAll = db.transaction((heldBefore: number) => this.#list(heldBefore)).immediate;
  }

  /** @param now when the commit begins, ms since the epoch. */
  commit(events: readonly IncomingEvent[], plan: PlanDelivery, now: number): CommitResult[] {
    this.#calls.begin();
    try {
      const results = this.#commitAll(events, plan, now);
      this.#calls.keep();
      return results;
    } catch (error) {
      this.#calls.forget();
      throw error;
    }
  }

  /** To be told when retention has removed calls: what is remembered of them would be written to rows that are gone. */
  forgetCalls(calls: readonly RoomSid[]): void {
    this.#calls.drop(calls);
  }

  readonly #listAll: (heldBefore: number) => UnmatchedCall[];
  readonly #routeAllAgain: (
    sid: RoomSid,
    events: readonly EventToRoute[],
    options: RouteAgainOptions,
  ) => RoutedAgain | undefined;

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

  /** See `History.remembered`. */
  remembered(event: LiveKitEvent, now: number): Remembered {
    const roomName = event.roomName ?? "";
    const call = event.roomSid === undefined ? this.#calls.newestOf(roomName, now) : this.#calls.find(event.roomSid);
    const { known, knownByName, removed } = this.#statements;
    const duplicate =
      removed.get(event.id) !== null ||
      knownByName.get(event.id, roomName) !== null ||
      (call !== undefined && known.get(call.id, event.id) !== null);
    if (call === undefined) return { duplicate, call };
    const { memory } = call;
    return { duplicate, call: { memory, all: this.#earlier(call, "all"), held: this.#earlier(call, "held") } };
  }

  /** See `History.eventsWithoutHook`. */
  eventsWithoutHook(sid: RoomSid): StoredEvent[] | undefined {
    const call = this.#calls.find(sid);
    if (call === undefined || call.memory.hooks.length > 0) return undefined;
    const rows = this.#statements.bodies.all(call.id, MAX_ROUTED_AGAIN + 1);
    if (rows.length > MAX_ROUTED_AGAIN) return undefined;
    return rows.map(({ id, body, received_at: receivedAt }) => ({ id: eventId(id), body, receivedAt }));
  }

  /** See `History.routeAgain`. */
  routeAgain(sid: RoomSid, events: readonly EventToRoute[], options: RouteAgainOptions): RoutedAgain | undefined {
    this.#calls.begin();
    try {
      const result = this.#routeAllAgain(sid, events, options);
      if (options.dryRun) this.#calls.forget();
      else this.#calls.keep();
      return result;
    } catch (error) {
      this.#calls.forget();
      throw error;
    }
  }

  #routeAgain(
    sid: RoomSid,
    events: readonly EventToRoute[],
    { plan, at, dryRun }: RouteAgainOptions,
  ): RoutedAgain | undefined {
    const call = this.#calls.find(sid);
    if (call === undefined || call.memory.hooks.length > 0) return undefined;
    const seqs = this.#statements.ids.all(call.id, MAX_ROUTED_AGAIN + 1);
    if (seqs.length !== events.length || seqs.some(({ id }, i) => id !== events[i]?.id)) return undefined;
    const routed = routeAgain(sid, call.memory.roomName, events);
    if (routed.call.hooks.length === 0) return undefined;
    const hooks = new Set<HookId>();
    let queued = 0;
    let unwanted = 0;
    for (const { event, hook } of routed.deliveries) {
      const seq = seqs[event]?.seq ?? 0;
      const wanted = plan(hook, events[event]?.event.name ?? "");
      if (!dryRun) this.#statements.markRouted.run(seq);
      if (wanted === "unwanted" || wanted === "gone") {
        unwanted++;
        continue;
      }
      if (!dryRun) this.#queue.add({ hook, call: call.id, event: seq, now: at, plan: wanted, replay: true });
      queued++;
      hooks.add(hook);
    }
    if (dryRun) return { queued, unwanted, hooks: [...hooks], ownerTasks: [] };
    const decidedBy = (participant: ParticipantSid) => events[routed.deciders.get(participant) ?? -1];
    const details = (participant: ParticipantSid) => describeParticipant(decidedBy(participant) ?? NOBODY);
    this.#calls.replace(call, routed.call, details);
    const matches = [...routed.deciders.values()].flatMap((i) => events[i]?.match ?? []);
    return { queued, unwanted, hooks: [...hooks], ownerTasks: this.#ownerTasksOf(call, matches) };
  }

  #ownerTasksOf(call: KnownCall, matches: readonly Match[]): OwnerTask[] {
    const { roomSid: sid, roomName } = call.memory;
    const owners = new Set(matches.flatMap((match) => (match.kind === "hook" ? (match.owner ?? []) : [])));
    for (const owner of owners) this.#statements.addTask.run(call.id, owner);
    if (this.#statements.isFinished.get(call.id) !== null) return [];
    return [...owners].map((authId) => ({ roomSid: sid, roomName, authId }));
  }

  #commitOne(incoming: IncomingEvent, plan: PlanDelivery, now: number): CommitResult {
    const { event, receivedAt } = incoming;
    const roomName = event.roomName ?? "";
    if (this.#statements.removed.get(event.id) !== null) return DUPLICATE;
    // Its call may have been another one, or none, when it came first.
    if (event.roomSid === undefined && this.#statements.knownByName.get(event.id, roomName) !== null) return DUPLICATE;
    const found =
      event.roomSid === undefined
        ? this.#calls.newestOf(roomName, receivedAt)
        : this.#calls.of(event.roomSid, roomName, receivedAt);
    if (found === undefined) return this.#keepWithoutCall(incoming, now);
    const routing = routeEvent(found.memory, event, incoming.match, (which) => this.#earlier(found, which));
    const seq = this.#insert(incoming, found, routing.held, now);
    if (seq === undefined) return DUPLICATE;
    const call =
      routing.call === found.memory
        ? found
        : this.#calls.update(found, routing.call, describeParticipant(incoming), receivedAt);
    this.#calls.touch(call, receivedAt, event.name === "room_finished");
    const hooks = this.#addDeliveries(routing, call, { seq, name: event.name }, receivedAt, plan);
    return {
      kind: "kept",
      roomSid: call.memory.roomSid,
      hooks,
      held: routing.held,
      unmatchedParticipant: routing.unmatchedParticipant,
      ownerTask: routing.call === found.memory ? undefined : this.#addOwnerTask(incoming, call),
    };
  }

  #keepWithoutCall(incoming: IncomingEvent, now: number): CommitResult {
    if (this.#insert(incoming, undefined, true, now) === undefined) return DUPLICATE;
    return {
      kind: "kept",
      roomSid: undefined,
      hooks: [],
      held: true,
      unmatchedParticipant: false,
      ownerTask: undefined,
    };
  }

  /** Undefined when its id is known: nothing is added then. */
  #insert(
    { event, contentType, body, receivedAt }: IncomingEvent,
    call: KnownCall | undefined,
    held: boolean,
    now: number,
  ): number | undefined {
    const { changes, lastInsertRowid } = this.#statements.insert.run(
      event.id,
      call?.id ?? null,
      event.roomName ?? "",
      event.name,
      event.subject.kind === "participant" ? event.subject.sid : event.subject.kind,
      event.createdAt ?? null,
      receivedAt,
      now,
      held ? EVENT_STATES.held : EVENT_STATES.routed,
      contentType,
      body,
    );
    return changes === 0 ? undefined : Number(lastInsertRowid);
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
    thisEvent: { readonly seq: number; readonly name: string },
    now: number,
    plan: PlanDelivery,
  ): readonly HookId[] {
    const woken = new Set<HookId>();
    for (const { event, hook } of routing.deliveries) {
      if (event !== "this") this.#statements.markRouted.run(event);
      const { seq, name } =
        event === "this" ? thisEvent : { seq: event, name: this.#statements.nameOf.get(event)?.name ?? "" };
      const wanted = plan(hook, name);
      if (wanted === "unwanted") continue;
      this.#queue.add({ hook, call: call.id, lanes: call.lanes, event: seq, now, plan: wanted });
      if (wanted !== "gone") woken.add(hook);
    }
    return [...woken];
  }

  /** Only the event that decided a participant changes the call's memory, and only then does its match count. */
  #addOwnerTask({ match }: IncomingEvent, call: KnownCall): OwnerTask | undefined {
    if (match?.kind !== "hook" || match.owner === undefined) return undefined;
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
    known: prepare<{ seq: number }, [number, string]>(db, "select seq from events where call = ? and id = ?"),
    knownByName: prepare<{ seq: number }, [string, string]>(
      db,
      "select seq from events where call is null and id = ?1 " +
        "union all select e.seq from calls c cross join events e on e.call = c.id and e.id = ?1 where c.room_name = ?2",
    ),
    removed: prepare<{ known: number }, [string]>(db, "select 1 as known from removed_events where id = ?"),
    insert: prepare<
      unknown,
      [string, number | null, string, string, string, number | null, number, number, number, string, Uint8Array]
    >(
      db,
      "insert into events (id, call, room_name, name, subject, created_at, received_at, kept_at, state, content_type, body) " +
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
    ),
    all: prepare<{ seq: number; subject: string }, [number]>(
      db,
      "select seq, subject from events where call = ? order by seq",
    ),
    held: prepare<{ seq: number; subject: string }, [number]>(
      db,
      "select seq, subject from events where call = ? and state <> 0 order by seq",
    ),
    ids: prepare<{ seq: number; id: string }, [number, number]>(
      db,
      "select seq, id from events where call = ? order by seq limit ?",
    ),
    bodies: prepare<{ id: string; body: Uint8Array; received_at: number }, [number, number]>(
      db,
      "select id, body, received_at from events where call = ? order by seq limit ?",
    ),
    isFinished: prepare<{ id: number }, [number]>(db, "select id from calls where id = ? and finished_at is not null"),
    nameOf: prepare<{ name: string }, [number]>(db, "select name from events where seq = ?"),
    markRouted: prepare<unknown, [number]>(db, `update events set state = ${EVENT_STATES.routed} where seq = ?`),
    markUnmatched: prepare<unknown, [number]>(db, `update events set state = ${EVENT_STATES.unmatched} where seq = ?`),
    overdue: prepare<OverdueRow, [number]>(
      db,
      "select e.seq, e.call, c.room_sid, e.room_name from events e left join calls c on c.id = e.call " +
        // `+`: sorted afterwards. By the table's own order SQLite would look through all events, each second.
        "where e.state = 1 and (e.received_at <= ? or c.finished_at is not null) order by +e.seq limit 1000",
    ),
    addTask: prepare<unknown, [number, string]>(db, "insert or ignore into owner_tasks (call, auth_id) values (?, ?)"),
    openTasks: prepare<{ room_sid: string; room_name: string; auth_id: string }, []>(
      db,
      "select c.room_sid, c.room_name, t.auth_id from owner_tasks t join calls c on c.id = t.call " +
        "where t.done = 0 and c.finished_at is null order by t.call",
    ),
    closeTask: prepare<unknown, [string, string]>(
      db,
      "update owner_tasks set done = 1 where auth_id = ? and call = (select id from calls where room_sid = ?)",
    ),
  };
}
