import type {
  CallFilter,
  CallView,
  DeliveryDetail,
  DeliveryFilter,
  HookId,
  HookName,
  ParticipantView,
  TimelineEvent,
  UnmatchedEvent,
  UnmatchedFilter,
  Viewer,
} from "sayna-sip";
import type { Delivery, KeptCall, KeptEvent, State } from "./state";

const nameOf = (state: State, id: HookId): HookName => {
  const known = state.known.get(id);
  return { id, host: known?.host, authId: known?.authId };
};

/** A tenant sees what its own hooks have. */
export const maySee = (state: State, viewer: Viewer, hook: HookId): boolean =>
  viewer === "operator" || state.known.get(hook)?.authId === viewer.authId;

const inSpan = (at: number, { since = 0, until = Infinity }: { since?: number; until?: number }): boolean =>
  at >= since && at < until;

/** Of one event and hook the delivery that was made last. */
export const latestOf = ({ event, hook }: Delivery): Delivery | undefined =>
  event.deliveries.findLast((other) => other.hook === hook);

export function fitsDelivery(state: State, delivery: Delivery, filter: DeliveryFilter): boolean {
  const { event, hook, call, madeAt } = delivery;
  const name = nameOf(state, hook);
  return (
    maySee(state, filter.viewer, hook) &&
    (filter.states?.includes(delivery.state) ?? true) &&
    [undefined, name.host].includes(filter.host) &&
    [undefined, name.authId].includes(filter.authId) &&
    [undefined, call.memory.roomName].includes(filter.room) &&
    [undefined, call.memory.roomSid].includes(filter.roomSid) &&
    [undefined, event.incoming.event.name].includes(filter.eventName) &&
    inSpan(madeAt, filter)
  );
}

export function showDelivery(state: State, delivery: Delivery): DeliveryDetail {
  const { event, call, lane } = delivery;
  const [head] = lane.pending;
  const isPending = delivery.state === "pending";
  const latest = latestOf(delivery);
  return {
    id: delivery.id,
    state: delivery.state,
    hook: nameOf(state, delivery.hook),
    roomSid: call.memory.roomSid,
    roomName: call.memory.roomName,
    eventId: event.incoming.event.id,
    eventName: event.incoming.event.name,
    receivedAt: event.incoming.receivedAt,
    madeAt: delivery.madeAt,
    settledAt: delivery.settledAt,
    reason: delivery.reason,
    attempts: delivery.attempts.length,
    replay: delivery.replay,
    nextTry: isPending && head === delivery ? lane.due : undefined,
    waitsFor: isPending && head !== delivery ? head?.id : undefined,
    replayedBy: latest === undefined || latest === delivery ? undefined : { id: latest.id, state: latest.state },
    tries: delivery.attempts.map((attempt, i) => ({ ...attempt, n: i + 1 })),
  };
}

/** The hooks of a call that the viewer may see, in the order in which they came into it. */
const hooksOf = (state: State, call: KeptCall, viewer: Viewer): HookId[] =>
  call.memory.hooks.filter((hook) => maySee(state, viewer, hook));

/** When the call began for the viewer. */
export function beganAt(state: State, call: KeptCall, viewer: Viewer): number {
  if (viewer === "operator") return call.firstAt;
  return Math.min(...hooksOf(state, call, viewer).map((hook) => call.joined.get(hook) ?? call.firstAt));
}

/** Undefined for a tenant without a hook in the call. */
export function showCall(state: State, call: KeptCall, viewer: Viewer): CallView | undefined {
  const hooks = hooksOf(state, call, viewer);
  if (viewer !== "operator" && hooks.length === 0) return undefined;
  return {
    roomSid: call.memory.roomSid,
    roomName: call.memory.roomName,
    state: call.finishedAt === undefined ? "active" : "finished",
    beganAt: beganAt(state, call, viewer),
    finishedAt: call.finishedAt,
    hooks: hooks.map((hook) => nameOf(state, hook)),
    participants: peopleOf(state, call, viewer),
  };
}

/** A tenant's own callers, and of those without a hook the ones that it was sent something of. */
function peopleOf(state: State, call: KeptCall, viewer: Viewer): ParticipantView[] {
  const people = [...call.people].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return people.flatMap(([sid, person]) => {
    const route = call.memory.participants.get(sid);
    const hook = route?.kind === "hook" ? route.hook : undefined;
    const sent = [...state.events.values()].some(
      ({ call: own, incoming: { event }, deliveries }) =>
        own === call &&
        event.subject.kind === "participant" &&
        event.subject.sid === sid &&
        deliveries.some((delivery) => maySee(state, viewer, delivery.hook)),
    );
    const visible = viewer === "operator" || (hook === undefined ? sent : maySee(state, viewer, hook));
    return visible ? [{ sid, ...person, hook: hook === undefined ? undefined : nameOf(state, hook) }] : [];
  });
}

export function fitsCall(state: State, call: KeptCall, filter: CallFilter): boolean {
  const view = showCall(state, call, filter.viewer);
  if (view === undefined) return false;
  const has = (member: "sipCallId" | "caller" | "callee") =>
    filter[member] === undefined || view.participants.some((participant) => participant[member] === filter[member]);
  return (
    [undefined, view.state].includes(filter.state) &&
    [undefined, view.roomName].includes(filter.room) &&
    (filter.host === undefined || view.hooks.some(({ host }) => host === filter.host)) &&
    has("sipCallId") &&
    has("caller") &&
    has("callee") &&
    inSpan(view.beganAt, filter)
  );
}

export function showEvent(state: State, kept: KeptEvent, viewer: Viewer): TimelineEvent {
  const { event, receivedAt } = kept.incoming;
  return {
    eventId: event.id,
    eventName: event.name,
    participant: event.subject.kind === "participant" ? event.subject.sid : undefined,
    createdAt: event.createdAt,
    receivedAt,
    keptAt: kept.keptAt,
    state: kept.state,
    deliveries: kept.deliveries
      .filter((delivery) => maySee(state, viewer, delivery.hook))
      .map((delivery) => showDelivery(state, delivery)),
  };
}

/** Undefined when the filter does not let it through. */
export function showUnmatched(kept: KeptEvent, filter: UnmatchedFilter): UnmatchedEvent | undefined {
  const { event, receivedAt } = kept.incoming;
  const { call } = kept;
  const callers = [...(call?.people ?? [])].filter(([, { sip }]) => sip);
  const own = callers.find(([sid]) => event.subject.kind === "participant" && event.subject.sid === sid);
  const hosts = [...new Set((own === undefined ? callers : [own]).flatMap(([, { host }]) => host ?? []))];
  const hasHook = (call?.memory.hooks.length ?? 0) > 0;
  const { maySeeHost } = filter;
  const mayBeSeen =
    maySeeHost === undefined ||
    (!hasHook && callers.length > 0 && callers.every(([, { host }]) => host !== undefined && maySeeHost(host)));
  const fits =
    kept.state === "unmatched" &&
    mayBeSeen &&
    [undefined, event.roomName].includes(filter.room) &&
    (filter.host === undefined || hosts.includes(filter.host)) &&
    inSpan(receivedAt, filter);
  if (!fits) return undefined;
  const why = () => {
    if (call === undefined) return "no_call";
    if (hasHook) return "unknown_participant";
    if (callers.length === 0) return "no_caller";
    return hosts.length === 0 ? "no_host" : "no_hook";
  };
  return {
    eventId: event.id,
    eventName: event.name,
    roomName: event.roomName ?? "",
    roomSid: call?.memory.roomSid,
    createdAt: event.createdAt,
    receivedAt,
    hosts,
    why: why(),
  };
}
