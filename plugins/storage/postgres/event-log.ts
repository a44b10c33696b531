import type { TransactionSQL } from "bun";
import type { Remembered, RouteAgainOptions, RoutedAgain, StoredEvent } from "../../../src/contracts/history";
import type { CommitResult, IncomingEvent, PlanDelivery, UnmatchedCall } from "../../../src/contracts/storage";
import { eventId, roomSid, type ParticipantSid, type RoomSid } from "../../../src/domain/ids";
import type { LiveKitEvent } from "../../../src/domain/livekit-event";
import { routeAgain, type CallRoutedAgain, type EventToRoute } from "../../../src/domain/route-again";
import { commitBatch } from "./commit-batch";
import type { Database } from "./database";
import { describeParticipant } from "../../../src/domain/participant-details";
import { findSids, newestOf, readCalls, writeCalls, type KnownCall } from "./known-calls";
import type { Lanes, NewDelivery } from "./lanes";
import { callLock, lockAll } from "./locks";
import { addOwnerTasks } from "./owner-tasks";
import { EVENT_STATES } from "../sql/states";
import { storableEvent } from "./storable-event";
import { storableText } from "./storable-text";

/** A call with more events is not routed again: it would hold up the acknowledgements of its room. */
const MAX_ROUTED_AGAIN = 2_000;
const NOBODY = { event: { subject: { kind: "room" } }, match: undefined } as const;
/** Listed in one transaction. */
const LISTED_AT_A_TIME = 1_000;
/** Handled together. There is a lock for each of their calls, of which the server has some thousands. */
const EVENTS_AT_A_TIME = 1_000;
/** They are one parameter, of 1 GiB at most, and are held four times meanwhile. */
const BYTES_AT_A_TIME = 16 * 1024 * 1024;

/** Keeps events, and makes the deliveries that routing wants of them. */
export class EventLog {
  readonly #database: Database;
  readonly #lanes: Lanes;

  constructor(database: Database, lanes: Lanes) {
    this.#database = database;
    this.#lanes = lanes;
  }

  /** @param now when the commit begins, ms since the epoch. */
  async commit(events: readonly IncomingEvent[], plan: PlanDelivery, now: number): Promise<CommitResult[]> {
    return this.#database.transaction(async (tx) => {
      const results: CommitResult[] = [];
      for (const some of inParts(events)) {
        results.push(...(await commitBatch(tx, some, { lanes: this.#lanes, plan, now })));
      }
      return results;
    });
  }

  async listUnmatched(heldBefore: number): Promise<UnmatchedCall[]> {
    const overdue = `e.state = ${EVENT_STATES.held} and (e.received_at <= $1 or c.finished_at is not null)`;
    const from = "from events e left join calls c on c.id = e.call";
    // A look first: without it every idle second of every instance would be a transaction.
    const [any] = await this.#database.rows(`select 1 ${from} where ${overdue} limit 1`, [heldBefore]);
    if (any === undefined) return [];
    const rows = await this.#database.transaction(async (tx) => {
      const found = (await tx.unsafe(
        `select e.seq, e.call, c.room_sid, e.room_name ${from} where ${overdue} order by e.seq limit ${LISTED_AT_A_TIME}
         for no key update of e skip locked`,
        [heldBefore],
      )) as OverdueRow[];
      const seqs = tx.array(
        found.map(({ seq }) => Number(seq)),
        "BIGINT",
      );
      await tx.unsafe(`update events set state = ${EVENT_STATES.unmatched} where seq = any($1::bigint[])`, [seqs]);
      return found;
    });
    return [...Map.groupBy(rows, ({ call }) => call).values()].map((ofCall) => {
      const { room_sid: sid = null, room_name: roomName = "" } = ofCall[0] ?? {};
      return { roomSid: sid === null ? undefined : roomSid(sid), roomName, events: ofCall.length };
    });
  }

  /** See `History.remembered`. */
  async remembered(unread: LiveKitEvent, now: number): Promise<Remembered> {
    const event = storableEvent(unread);
    return this.#database.transaction(async (tx) => {
      const [known] = (await tx.unsafe(
        "select 1 from events where id = $1 union all select 1 from removed_events where id = $1 limit 1",
        [event.id],
      )) as unknown[];
      const duplicate = known !== undefined;
      const sids = event.roomSid === undefined ? await findSids(tx, [event.roomName ?? ""], now) : [event.roomSid];
      const calls = (await readCalls(tx, sids)).values();
      const call = event.roomSid === undefined ? newestOf(calls, event.roomName ?? "", now) : calls.next().value;
      if (call === undefined) return { duplicate, call };
      await call.read(tx, "all");
      await call.read(tx, "held");
      const earlier = (which: "all" | "held") =>
        (call.earlier(which) ?? []).map(({ seq, subject }) => ({ seq, subject }));
      return { duplicate, call: { memory: call.memory, all: earlier("all"), held: earlier("held") } };
    });
  }

  /** See `History.eventsWithoutHook`. */
  async eventsWithoutHook(sid: RoomSid): Promise<StoredEvent[] | undefined> {
    const [call] = await this.#database.rows<{ id: string }>(
      "select id from calls c where room_sid = $1 and not exists (select 1 from call_hooks h where h.call = c.id)",
      [storableText(sid)],
    );
    if (call === undefined) return undefined;
    const rows = await this.#database.rows<{ id: string; body: Uint8Array; received_at: string }>(
      `select id, body, received_at from events where call = $1 order by seq limit ${MAX_ROUTED_AGAIN + 1}`,
      [call.id],
    );
    if (rows.length > MAX_ROUTED_AGAIN) return undefined;
    return rows.map(({ id, body, received_at: at }) => ({ id: eventId(id), body, receivedAt: Number(at) }));
  }

  /** See `History.routeAgain`. */
  async routeAgain(
    unread: RoomSid,
    unreadEvents: readonly EventToRoute[],
    options: RouteAgainOptions,
  ): Promise<RoutedAgain | undefined> {
    const sid = roomSid(storableText(unread));
    const events = unreadEvents.map((again) => ({ ...again, event: storableEvent(again.event) }));
    return this.#database.transaction(async (tx) => {
      await lockAll(tx, [callLock(sid)]);
      const call = (await readCalls(tx, [sid])).get(sid);
      if (call === undefined || call.memory.hooks.length > 0) return undefined;
      const stored = (await tx.unsafe(
        `select seq, id from events where call = $1 order by seq limit ${MAX_ROUTED_AGAIN + 1}`,
        [call.id],
      )) as { seq: string; id: string }[];
      if (stored.length !== events.length || stored.some(({ id }, i) => id !== events[i]?.id)) return undefined;
      const routed = routeAgain(sid, call.memory.roomName, events);
      if (routed.call.hooks.length === 0) return undefined;
      const seqs = stored.map(({ seq }) => Number(seq));
      return this.#routeAgain(tx, { call, routed, events, seqs, options });
    });
  }

  async #routeAgain(tx: TransactionSQL, { call, routed, events, seqs, options }: Again): Promise<RoutedAgain> {
    const { plan, at, dryRun } = options;
    const queued: NewDelivery[] = [];
    for (const { event, hook } of routed.deliveries) {
      const wanted = plan(hook, events[event]?.event.name ?? "");
      if (wanted === "unwanted" || wanted === "gone") continue;
      queued.push({ hook, call: call.id, event: seqs[event] ?? 0, now: at, plan: wanted, replay: true });
    }
    const result = {
      queued: queued.length,
      unwanted: routed.deliveries.length - queued.length,
      hooks: [...new Set(queued.map(({ hook }) => hook))],
    };
    if (dryRun) return { ...result, ownerTasks: [] };
    const decidedBy = (sid: ParticipantSid) => events[routed.deciders.get(sid) ?? -1] ?? NOBODY;
    // Its hooks count as there since the beginning: they get all of it, and their tenants look for it by the call's time.
    call.update(routed.call, (sid) => describeParticipant(decidedBy(sid)), call.firstAt);
    for (const { event } of routed.deliveries) call.release(seqs[event] ?? 0);
    await writeCalls(tx, [call]);
    await this.#lanes.add(tx, queued);
    const matches = [...routed.deciders.values()].flatMap((i) => events[i]?.match ?? []);
    const owners = new Set(matches.flatMap((match) => (match.kind === "hook" ? (match.owner ?? []) : [])));
    const { roomSid: sid, roomName } = call.memory;
    const tasks = [...owners].map((authId) => ({ call: call.id, task: { roomSid: sid, roomName, authId } }));
    await addOwnerTasks(tx, tasks);
    return { ...result, ownerTasks: call.finishedAt === undefined ? tasks.map(({ task }) => task) : [] };
  }
}

function* inParts(events: readonly IncomingEvent[]): Generator<readonly IncomingEvent[]> {
  let part: IncomingEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    if (part.length >= EVENTS_AT_A_TIME || bytes >= BYTES_AT_A_TIME) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(event);
    bytes += event.body.length;
  }
  if (part.length > 0) yield part;
}

type Again = {
  readonly call: KnownCall;
  readonly routed: CallRoutedAgain;
  readonly events: readonly EventToRoute[];
  readonly seqs: readonly number[];
  readonly options: RouteAgainOptions;
};

type OverdueRow = {
  readonly seq: string;
  readonly call: string | null;
  readonly room_sid: string | null;
  readonly room_name: string;
};
