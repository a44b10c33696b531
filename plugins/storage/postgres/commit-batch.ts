import type { TransactionSQL } from "bun";
import type { CommitResult, IncomingEvent, PlanDelivery } from "../../../src/contracts/storage";
import type { HookId } from "../../../src/domain/ids";
import { routeEvent, type Routing } from "../../../src/domain/routing";
import { describeParticipant } from "../../../src/domain/participant-details";
import { findSids, newestOf, readCalls, writeCalls, type KnownCall } from "./known-calls";
import type { Lanes, NewDelivery } from "./lanes";
import { callLock, eventLock, lockAll } from "./locks";
import { addOwnerTasks, taskKey, type NewOwnerTask } from "./owner-tasks";
import { EVENT_STATES } from "../sql/states";
import { storableEvent } from "./storable-event";
import { storableText } from "./storable-text";

export type BatchOptions = {
  readonly lanes: Lanes;
  readonly plan: PlanDelivery;
  /** When the commit begins, ms since the epoch. */
  readonly now: number;
};

/** An event with a place in the order of the storage. */
type Placed = { readonly incoming: IncomingEvent; readonly seq: number };
type Routed = Placed & {
  readonly call: KnownCall;
  readonly routing: Routing;
  readonly deliveries: readonly NewDelivery[];
  readonly ownerTask: NewOwnerTask | undefined;
};
/** `call` is undefined when the event names none, and none of its room's name is known. */
type Kept = (Placed & { readonly call: undefined }) | Routed;

/**
 * Keeps a batch of events inside a transaction, in five round trips whatever its size: the calls are locked and read, the
 * events routed here one after the other, and all that came of it is written together.
 */
export async function commitBatch(
  tx: TransactionSQL,
  batch: readonly IncomingEvent[],
  options: BatchOptions,
): Promise<CommitResult[]> {
  const events = batch.map((incoming) => ({ ...incoming, event: storableEvent(incoming.event) }));
  const sids = await lockEvents(tx, events);
  const { calls, known, seqs } = await readAll(tx, events, sids);
  const kept: (Kept | undefined)[] = [];
  for (const incoming of events) {
    const { event, receivedAt } = incoming;
    if (known.has(event.id)) {
      kept.push(undefined);
      continue;
    }
    known.add(event.id);
    const seq = seqs[kept.length] ?? 0;
    const call =
      event.roomSid === undefined
        ? newestOf(calls.values(), event.roomName ?? "", receivedAt)
        : calls.get(event.roomSid);
    kept.push(call === undefined ? { incoming, seq, call } : await route(tx, { incoming, seq }, call, options.plan));
  }
  const written = kept.filter((one) => one !== undefined);
  const routed = written.filter((one) => one.call !== undefined);
  const [tasks] = await Promise.all([
    addOwnerTasks(
      tx,
      routed.flatMap(({ ownerTask }) => ownerTask ?? []),
    ),
    insertEvents(tx, written, options.now),
    writeCalls(tx, [...new Set(routed.map(({ call }) => call))]),
  ]);
  await options.lanes.add(
    tx,
    routed.flatMap(({ deliveries }) => deliveries),
  );
  return kept.map((one): CommitResult => (one === undefined ? { kind: "duplicate" } : toResult(one, tasks)));
}

/** Returns the sids of all calls that may be meant. */
async function lockEvents(tx: TransactionSQL, events: readonly IncomingEvent[]): Promise<string[]> {
  const nameless = events.filter(({ event }) => event.roomSid === undefined);
  const sids = new Set(events.flatMap(({ event }) => event.roomSid ?? []) as string[]);
  const names = [...new Set(nameless.map(({ event }) => event.roomName ?? ""))];
  const earliest = Math.min(...nameless.map(({ receivedAt }) => receivedAt));
  for (const sid of await findSids(tx, names, earliest)) sids.add(sid);
  await lockAll(tx, [...[...sids].map(callLock), ...nameless.map(({ event }) => eventLock(event.id))]);
  return [...sids];
}

async function readAll(tx: TransactionSQL, events: readonly IncomingEvent[], sids: readonly string[]) {
  const ids = tx.array(
    events.map(({ event }) => event.id),
    "TEXT",
  );
  const candidates = events.flatMap(({ event, receivedAt }, ord) => {
    return event.roomSid === undefined
      ? []
      : [{ ord, event: event.id, sid: event.roomSid, name: event.roomName ?? "", at: receivedAt }];
  });
  const [made, known, seqs] = (await Promise.all([
    tx.unsafe(
      `insert into calls (room_sid, room_name, first_at, last_at)
       select distinct on (x.sid) x.sid, x.name, x.at, x.at
       from json_to_recordset($1::text::json) as x (ord integer, event text, sid text, name text, at bigint)
       where not exists (select 1 from events e where e.id = x.event)
         and not exists (select 1 from removed_events r where r.id = x.event)
       order by x.sid, x.ord on conflict (room_sid) do nothing returning id`,
      [JSON.stringify(candidates)],
    ),
    tx.unsafe(
      "select id from events where id = any($1::text[]) union all select id from removed_events where id = any($1::text[])",
      [ids],
    ),
    tx.unsafe("select nextval(pg_get_serial_sequence('events', 'seq')) as seq from generate_series(1, $1::integer)", [
      events.length,
    ]),
  ])) as [{ id: string }[], { id: string }[], { seq: string }[]];
  const calls = await readCalls(tx, sids, new Set(made.map(({ id }) => Number(id))));
  return {
    calls,
    known: new Set(known.map(({ id }) => id)),
    seqs: seqs.map(({ seq }) => Number(seq)).toSorted((a, b) => a - b),
  };
}

async function route(
  tx: TransactionSQL,
  { incoming, seq }: Placed,
  call: KnownCall,
  plan: PlanDelivery,
): Promise<Routed> {
  const { event, match, receivedAt } = incoming;
  const { names, routing } = await routeWith(tx, incoming, call);
  const deliveries = routing.deliveries.flatMap((delivery): NewDelivery[] => {
    const which = delivery.event === "this" ? seq : delivery.event;
    if (which !== seq) call.release(which);
    const wanted = plan(delivery.hook, which === seq ? event.name : (names.get(which) ?? ""));
    if (wanted === "unwanted") return [];
    return [{ hook: delivery.hook, call: call.id, event: which, now: receivedAt, plan: wanted }];
  });
  // Only the event that decided a participant changes the memory, and only then does the match count.
  const owner = match?.kind === "hook" && routing.call !== call.memory ? match.owner : undefined;
  const { roomSid, roomName } = call.memory;
  call.update(routing.call, () => describeParticipant({ event, match }), receivedAt);
  call.touch(receivedAt, event.name === "room_finished");
  call.addEvent({ seq, subject: subjectOf(incoming), name: event.name }, routing.held);
  const ownerTask = owner === undefined ? undefined : { call: call.id, task: { roomSid, roomName, authId: owner } };
  return { incoming, seq, call, routing, deliveries, ownerTask };
}

/** What routing wants to know of the call's earlier events is read when it asks, which most events do not. */
async function routeWith(tx: TransactionSQL, { event, match }: IncomingEvent, call: KnownCall) {
  for (;;) {
    let missing: "all" | "held" | undefined;
    const names = new Map<number, string>();
    const routing = routeEvent(call.memory, event, match, (which) => {
      const earlier = call.earlier(which);
      if (earlier === undefined) missing = which;
      for (const { seq, name } of earlier ?? []) names.set(seq, name);
      return earlier ?? [];
    });
    if (missing === undefined) return { routing, names };
    await call.read(tx, missing);
  }
}

async function insertEvents(tx: TransactionSQL, kept: readonly Kept[], now: number): Promise<void> {
  const rows = kept.map((one) => {
    const { event, contentType, body, receivedAt } = one.incoming;
    const held = one.call === undefined || (one.routing.held && !one.call.isReleased(one.seq));
    return {
      seq: one.seq,
      id: event.id,
      call: one.call?.id,
      room_name: event.roomName ?? "",
      name: event.name,
      subject: subjectOf(one.incoming),
      created_at: event.createdAt,
      received_at: receivedAt,
      kept_at: now,
      state: held ? EVENT_STATES.held : EVENT_STATES.routed,
      content_type: storableText(contentType),
      body: Buffer.from(body).toString("base64"),
    };
  });
  if (rows.length === 0) return;
  await tx.unsafe(
    `insert into events (seq, id, call, room_name, name, subject, created_at, received_at, kept_at, state, content_type, body)
     overriding system value
     select x.seq, x.id, x.call, x.room_name, x.name, x.subject, x.created_at, x.received_at, x.kept_at, x.state, x.content_type,
       decode(x.body, 'base64')
     from json_to_recordset($1::text::json) as x (seq bigint, id text, call bigint, room_name text, name text, subject text,
       created_at bigint, received_at bigint, kept_at bigint, state smallint, content_type text, body text)`,
    [JSON.stringify(rows)],
  );
}

function subjectOf({ event }: IncomingEvent) {
  return event.subject.kind === "participant" ? event.subject.sid : event.subject.kind;
}

function toResult(kept: Kept, tasks: Map<string, NewOwnerTask>): CommitResult {
  if (kept.call === undefined) {
    const nothing = { hooks: [], held: true, unmatchedParticipant: false, ownerTask: undefined };
    return { kind: "kept", roomSid: undefined, ...nothing };
  }
  const { call, routing, deliveries, ownerTask } = kept;
  const hooks = new Set<HookId>(deliveries.filter(({ plan }) => plan !== "gone").map(({ hook }) => hook));
  const added = ownerTask === undefined ? undefined : tasks.get(taskKey(ownerTask));
  // Of several events of a batch the first one tells of it.
  if (ownerTask !== undefined) tasks.delete(taskKey(ownerTask));
  return {
    kind: "kept",
    roomSid: call.memory.roomSid,
    hooks: [...hooks],
    held: routing.held,
    unmatchedParticipant: routing.unmatchedParticipant,
    ownerTask: added?.task,
  };
}
