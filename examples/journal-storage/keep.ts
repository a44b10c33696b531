import { CALL_MEMORY_MS, describeParticipant, FINISHED_CALL_MS, routeEvent } from "sayna-sip";
import type {
  CallMemory,
  CommitResult,
  EarlierEvent,
  HookId,
  IncomingEvent,
  OwnerTask,
  ParticipantDetails,
  ParticipantSid,
  PlanDelivery,
} from "sayna-sip";
import { queue } from "./lanes";
import { callOf, eventsOf, nextNumber, type KeptCall, type KeptEvent, type State } from "./state";

/** `Storage.commit` for one event. `routeEvent` is the rule; this remembers what it says. */
export function keepEvent(state: State, incoming: IncomingEvent, plan: PlanDelivery, keptAt: number): CommitResult {
  const { event, receivedAt, match } = incoming;
  if (state.byId.has(event.id) || state.removedIds.has(event.id)) return { kind: "duplicate" };
  const call = findCall(state, incoming);
  if (call === undefined) {
    addEvent(state, { incoming, call, keptAt, state: "held" });
    const nothing = { hooks: [], held: true, unmatchedParticipant: false, ownerTask: undefined };
    return { kind: "kept", roomSid: undefined, ...nothing };
  }
  const routing = routeEvent(call.memory, event, match, (which) => earlierOf(state, call, which));
  const kept = addEvent(state, { incoming, call, keptAt, state: routing.held ? "held" : "routed" });
  const decides = routing.call !== call.memory;
  remember(call, routing.call, receivedAt, () => describeParticipant(incoming));
  call.lastAt = receivedAt;
  if (event.name === "room_finished") call.finishedAt = receivedAt;

  const hooks = new Set<HookId>();
  for (const { event: which, hook } of routing.deliveries) {
    const one = which === "this" ? kept : state.events.get(which);
    if (one === undefined) continue;
    one.state = "routed";
    const wanted = plan(hook, one.incoming.event.name);
    if (wanted === "unwanted") continue;
    queue(state, { event: one, call, hook, plan: wanted, at: receivedAt, replay: false });
    if (wanted !== "gone") hooks.add(hook);
  }
  return {
    kind: "kept",
    roomSid: call.memory.roomSid,
    hooks: [...hooks],
    held: routing.held,
    unmatchedParticipant: routing.unmatchedParticipant,
    // Only the event that decided a participant says who is to own the room.
    ownerTask: decides && match?.kind === "hook" ? addOwner(call, match.owner) : undefined,
  };
}

/** Its own call, or the newest of its room's name that is not over for long (routing rule 8). */
function findCall(state: State, { event, receivedAt }: IncomingEvent): KeptCall | undefined {
  const { roomSid, roomName = "" } = event;
  return roomSid === undefined ? newestCall(state, roomName, receivedAt) : callOf(state, roomSid, roomName, receivedAt);
}

export function newestCall(state: State, roomName: string, now: number): KeptCall | undefined {
  const goesOn = ({ memory, lastAt, finishedAt = Infinity }: KeptCall) =>
    memory.roomName === roomName && lastAt >= now - CALL_MEMORY_MS && finishedAt >= now - FINISHED_CALL_MS;
  return [...state.calls.values()].filter(goesOn).toSorted((a, b) => b.firstAt - a.firstAt || b.id - a.id)[0];
}

export function earlierOf(state: State, call: KeptCall, which: "all" | "held"): EarlierEvent[] {
  const wanted = eventsOf(state, call).filter((event) => which === "all" || event.state !== "routed");
  return wanted.map(({ seq, incoming: { event } }) => {
    return { seq, subject: event.subject.kind === "participant" ? event.subject.sid : event.subject.kind };
  });
}

function addEvent(state: State, members: Omit<KeptEvent, "seq" | "deliveries">): KeptEvent {
  const event: KeptEvent = { ...members, seq: nextNumber(state), deliveries: [] };
  state.events.set(event.seq, event);
  state.byId.set(event.incoming.event.id, event);
  return event;
}

/** Takes over what routing added to the memory. */
export function remember(
  call: KeptCall,
  memory: CallMemory,
  at: number,
  personOf: (sid: ParticipantSid) => ParticipantDetails,
): void {
  for (const hook of memory.hooks) if (!call.joined.has(hook)) call.joined.set(hook, at);
  for (const [sid, route] of memory.participants) {
    if (call.memory.participants.get(sid) !== route) call.people.set(sid, personOf(sid));
  }
  call.memory = memory;
}

/** The task, if it is a new one. */
export function addOwner(call: KeptCall, authId: string | undefined): OwnerTask | undefined {
  if (authId === undefined || call.owners.has(authId)) return undefined;
  call.owners.set(authId, "open");
  return { roomSid: call.memory.roomSid, roomName: call.memory.roomName, authId };
}
