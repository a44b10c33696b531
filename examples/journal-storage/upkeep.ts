import { CALL_MEMORY_MS } from "sayna-sip";
import type { EventId, RetentionLimits, Room, RoomSid } from "sayna-sip";
import type { KeptEvent, State } from "./state";

/** What one step takes out. */
export type Removal = {
  readonly events: readonly number[];
  readonly calls: readonly RoomSid[];
  readonly ids: readonly EventId[];
};

const AT_A_TIME = 100;
/** An hour is promised; the second one is for a clock that is set forward. */
const KNOWN_ID_MS = 2 * 60 * 60 * 1000;
/** What an event takes beside its body, roughly. */
const OVERHEAD = 500;

/** Which limit counts for an event: `open` while it is to be delivered, or held for the hook of its call. */
function fateOf({ state, deliveries }: KeptEvent): "open" | "delivered" | "dead" | "unmatched" {
  if (state === "held" || deliveries.some((delivery) => delivery.state === "pending")) return "open";
  if (state === "unmatched") return "unmatched";
  return deliveries.every((delivery) => delivery.state === "delivered") ? "delivered" : "dead";
}

const sizeOf = (state: State): number =>
  [...state.events.values()].reduce((sum, { incoming }) => sum + incoming.body.length + OVERHEAD, 0);

/** The next events to go: for the size what arrived first, then what found no hook, then what is dead; then by age. */
export function chooseRemoval(state: State, limits: RetentionLimits, now: number): Removal {
  const events = [...state.events.values()];
  const over = sizeOf(state) > limits.maxSize;
  for (const fate of over ? (["delivered", "unmatched", "dead"] as const) : []) {
    const found = events.filter((event) => fateOf(event) === fate).slice(0, AT_A_TIME);
    if (found.length > 0) return { events: found.map(({ seq }) => seq), calls: [], ids: [] };
  }
  const aged = events.filter((event) => isAged(event, limits, now)).slice(0, AT_A_TIME);
  if (aged.length > 0) return { events: aged.map(({ seq }) => seq), calls: [], ids: [] };
  // Behind the events what is remembered of them.
  const used = new Set(events.map(({ call }) => call));
  const old = [...state.calls.values()].filter((call) => !used.has(call) && call.lastAt <= now - CALL_MEMORY_MS);
  const ids = [...state.removedIds].filter(([, until]) => until <= now);
  return { events: [], calls: old.map(({ memory }) => memory.roomSid), ids: ids.map(([id]) => id) };
}

function isAged(event: KeptEvent, limits: RetentionLimits, now: number): boolean {
  const { receivedAt } = event.incoming;
  const fate = fateOf(event);
  if (fate === "open") return event.state === "held" && receivedAt <= now - limits.unmatched;
  const ended = Math.max(receivedAt, ...event.deliveries.map(({ settledAt = 0 }) => settledAt));
  return ended <= now - limits[fate];
}

export function remove(state: State, { events, calls, ids }: Removal, now: number): void {
  for (const seq of events) {
    const event = state.events.get(seq);
    if (event === undefined) continue;
    const { id } = event.incoming.event;
    for (const delivery of event.deliveries) state.deliveries.delete(delivery.id);
    state.events.delete(seq);
    state.byId.delete(id);
    const until = event.incoming.receivedAt + KNOWN_ID_MS;
    if (until > now) state.removedIds.set(id, until);
  }
  for (const sid of calls) state.calls.delete(sid);
  for (const id of ids) state.removedIds.delete(id);
  for (const [key, { pending }] of state.lanes) if (pending.length === 0) state.lanes.delete(key);
}

export function roomOf(state: State, { maxSize }: RetentionLimits): Room {
  if (sizeOf(state) <= maxSize) return "enough";
  const removable = [...state.events.values()].some((event) => fateOf(event) !== "open");
  return removable ? "over" : "stuck";
}
