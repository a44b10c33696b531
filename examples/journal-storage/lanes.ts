import type { Claim, ClaimOptions, DeliveryPlan, HookId, PendingDelivery, Settlement } from "sayna-sip";
import { nextNumber, type Delivery, type KeptCall, type KeptEvent, type Lane, type State } from "./state";

type NewDelivery = {
  readonly event: KeptEvent;
  readonly call: KeptCall;
  readonly hook: HookId;
  readonly plan: Exclude<DeliveryPlan, "unwanted">;
  readonly at: number;
  readonly replay: boolean;
};

/** Adds a delivery at the end of its lane: that of its call, or one of its own when no order is wanted. */
export function queue(state: State, { event, call, hook, plan, at, replay }: NewDelivery): void {
  const key = `${hook} ${call.id} ${plan === "unordered" ? event.seq : ""}`;
  const lane: Lane = state.lanes.get(key) ?? { id: nextNumber(state), hook, pending: [], due: at, wait: 0 };
  state.lanes.set(key, lane);
  const gone = plan === "gone";
  const delivery: Delivery = {
    id: nextNumber(state),
    event,
    call,
    hook,
    lane,
    replay,
    madeAt: at,
    attempts: [],
    state: gone ? "cancelled" : "pending",
    settledAt: gone ? at : undefined,
    reason: gone ? "the hook is gone" : undefined,
    failures: 0,
    refusals: 0,
  };
  state.deliveries.set(delivery.id, delivery);
  event.deliveries.push(delivery);
  if (gone) return;
  if (lane.pending.length === 0) Object.assign(lane, { due: at, wait: 0 });
  lane.pending.push(delivery);
}

const waiting = (state: State): Lane[] => [...state.lanes.values()].filter(({ pending }) => pending.length > 0);

export const waitingHooks = (state: State): HookId[] => [...new Set(waiting(state).map(({ hook }) => hook))];

/** `Storage.claim`: the heads of the lanes, those that have been due longest first. */
export function claim(state: State, hook: HookId, { now, limit, busy }: ClaimOptions): Claim {
  const lanes = waiting(state)
    .filter((lane) => lane.hook === hook && !busy.has(lane.id))
    .toSorted((a, b) => a.due - b.due || a.id - b.id);
  const ready = lanes.filter(({ due }) => due <= now).slice(0, limit);
  return {
    deliveries: ready.flatMap(({ pending: [head] }) => head ?? []).map(toPending),
    nextDue: lanes[ready.length]?.due,
  };
}

function toPending(delivery: Delivery): PendingDelivery {
  const { id, lane, hook, call, event, attempts, failures, refusals, replay, madeAt } = delivery;
  const { contentType, body, receivedAt } = event.incoming;
  return {
    id,
    lane: lane.id,
    hook,
    roomSid: call.memory.roomSid,
    eventId: event.incoming.event.id,
    eventName: event.incoming.event.name,
    contentType,
    body,
    // The age of what was asked for again counts from then.
    receivedAt: replay ? madeAt : receivedAt,
    attempts: attempts.length,
    failures,
    refusals,
    replay,
  };
}

export function makeDue(state: State, hook: HookId, at: number): number {
  const late = waiting(state).filter((lane) => lane.hook === hook && lane.due > at);
  for (const lane of late) lane.due = at;
  return late.length;
}

/** `Storage.limitWaits`: due times that a clock which was ahead has written. */
export function limitWaits(state: State, hook: HookId, now: number): void {
  for (const lane of waiting(state)) if (lane.hook === hook) lane.due = Math.min(lane.due, now + lane.wait);
}

export function settle(state: State, { delivery: { id }, at, attempt, outcome }: Settlement): void {
  const delivery = state.deliveries.get(id);
  if (delivery === undefined) return;
  const { lane } = delivery;
  const isHead = lane.pending[0] === delivery;
  if (attempt !== undefined) delivery.attempts.push(attempt);
  if (outcome.kind === "retry") {
    delivery.failures += outcome.counts ? 1 : 0;
    delivery.refusals += outcome.refusal ? 1 : 0;
    // Of one that was cancelled while it was under way nothing waits any more.
    if (isHead) Object.assign(lane, { due: outcome.dueAt, wait: outcome.wait });
    return;
  }
  delivery.settledAt = at;
  const staysCancelled = delivery.state === "cancelled" && outcome.kind !== "delivered";
  if (!staysCancelled) {
    delivery.state = outcome.kind;
    delivery.reason = outcome.kind === "dead" ? outcome.reason : undefined;
  }
  if (!isHead) return;
  lane.pending.shift();
  Object.assign(lane, { due: at, wait: 0 });
}

/** Cancels these if they are pending, and moves their lanes on; how many that were. */
export function cancel(deliveries: Iterable<Delivery>, reason: string, at: number): number {
  let cancelled = 0;
  for (const delivery of deliveries) {
    if (delivery.state !== "pending") continue;
    const { lane } = delivery;
    if (lane.pending[0] === delivery) lane.due = at;
    lane.pending = lane.pending.filter((one) => one !== delivery);
    Object.assign(delivery, { state: "cancelled", settledAt: at, reason });
    cancelled++;
  }
  return cancelled;
}

export const deliveriesOf = (state: State, hook: HookId): Delivery[] =>
  [...state.deliveries.values()].filter((delivery) => delivery.hook === hook);
