import { ExpectedTimes } from "./expected-times";
import { hookKey, laneKey } from "./hook-keys";

/**
 * What must become of events, in plain data: which hook gets which of them, in which order, whatever retries, breakers and
 * clocks do. These have a part of their own: `times`.
 */
export type Model = {
  /** The forwarding table by host. */
  readonly table: Map<string, TableEntry>;
  readonly calls: Map<string, ModelCall>;
  /** By lane (`<hook> <room sid>`), in the order in which they must go out. */
  readonly lanes: Map<string, ModelDelivery[]>;
  /** Acknowledged events by id, with their bodies: LiveKit may send them again. */
  readonly kept: Map<string, string>;
  /** Hooks to which nothing may go out until they are resumed or replaced. */
  readonly paused: Set<string>;
  /** When what is to be sent goes out. */
  readonly times: ExpectedTimes;
  /** Numbers the events and the hooks' urls. */
  counter: number;
};

export type TableEntry = { readonly tenant: string; readonly url: string };

type ModelCall = {
  readonly hooks: string[];
  readonly participants: Map<string, Route>;
  readonly events: ModelEvent[];
};

/** A participant's events go to one hook, or to all of the room. */
type Route = { readonly hook: string } | "room";

export type ModelDelivery = {
  readonly id: string;
  readonly hook: string;
  readonly roomSid: string;
  /** The hook was not in the table when it was made, or was taken out of it later; or somebody cancelled it. */
  mayBeCancelled: boolean;
  /** Its call had no hook, and was routed again later: it is marked as a replay. */
  readonly again: boolean;
};

/** An event as the model sees it. */
export type ModelEvent = {
  readonly id: string;
  readonly roomSid: string;
  /** `room`, or the participant's sid. */
  readonly subject: string;
  /** What a participant's whole data says of it; `track_*` says nothing. */
  readonly says: { readonly sip: true; readonly host: string } | { readonly sip: false } | undefined;
};

export function newModel(): Model {
  const [table, calls, lanes, kept] = [new Map(), new Map(), new Map(), new Map()];
  return { table, calls, lanes, kept, paused: new Set(), times: new ExpectedTimes(), counter: 0 };
}

export const isInTable = (model: Model, hook: string): boolean => {
  const [host = "", tenant] = hook.split("|");
  return model.table.get(host)?.tenant === tenant;
};

/** The event was kept: its deliveries are added to their lanes. */
export function keep(model: Model, event: ModelEvent): void {
  const call = model.calls.get(event.roomSid) ?? newCall();
  model.calls.set(event.roomSid, call);
  for (const [of, hook] of place(model, call, event)) deliver(model, of, hook, false);
}

/** Somebody has the calls without a hook routed again, as if their events came now. */
export function routeAgain(model: Model): void {
  for (const [roomSid, call] of model.calls) {
    if (call.hooks.length > 0) continue;
    const anew = newCall();
    const deliveries = call.events.flatMap((event) => place(model, anew, event));
    if (deliveries.length === 0) continue;
    model.calls.set(roomSid, anew);
    for (const [event, hook] of deliveries) deliver(model, event, hook, true);
  }
}

const newCall = (): ModelCall => ({ hooks: [], participants: new Map(), events: [] });

/** Adds an event to its call. @returns what goes where now, in this order; earlier events too */
function place(model: Model, call: ModelCall, event: ModelEvent): [ModelEvent, hook: string][] {
  const earlier = [...call.events];
  call.events.push(event);
  const decided = decide(model, call, event);
  if (decided === undefined) return hooksOf(call, event.subject).map((hook) => [event, hook]);

  call.participants.set(event.subject, decided);
  const ofTheSame = earlier.filter(({ subject }) => subject === event.subject);
  if (decided === "room") {
    // Held until now, because it could have been a tenant's caller.
    return [...ofTheSame, event].flatMap((each) => call.hooks.map((hook): [ModelEvent, string] => [each, hook]));
  }
  const { hook } = decided;
  const joins = !call.hooks.includes(hook);
  if (joins) call.hooks.push(hook);
  const forAll = ({ subject }: ModelEvent) => subject === "room" || call.participants.get(subject) === "room";
  const released = joins ? earlier.filter((each) => each.subject === event.subject || forAll(each)) : ofTheSame;
  return [...released, event].map((each) => [each, hook]);
}

/** Somebody cancels what is pending of these. */
export function cancelled(model: Model, which: (delivery: ModelDelivery) => boolean): void {
  for (const delivery of [...model.lanes.values()].flat()) if (which(delivery)) delivery.mayBeCancelled = true;
}

/** The table was changed: what was pending for hooks that are gone may be cancelled. */
export function hooksGone(model: Model): void {
  for (const deliveries of model.lanes.values()) {
    for (const delivery of deliveries) if (!isInTable(model, delivery.hook)) delivery.mayBeCancelled = true;
  }
}

function decide(model: Model, call: ModelCall, { subject, says }: ModelEvent): Route | undefined {
  if (subject === "room" || says === undefined || call.participants.has(subject)) return undefined;
  if (!says.sip) return "room";
  const entry = model.table.get(says.host);
  return entry === undefined ? "room" : { hook: hookKey(says.host, entry.tenant) };
}

function hooksOf(call: ModelCall, subject: string): readonly string[] {
  const route = subject === "room" ? "room" : call.participants.get(subject);
  if (route === undefined) return [];
  return route === "room" ? call.hooks : [route.hook];
}

function deliver(model: Model, { id, roomSid }: ModelEvent, hook: string, again: boolean): void {
  const lane = laneKey(hook, roomSid);
  const deliveries = model.lanes.get(lane) ?? [];
  model.lanes.set(lane, deliveries);
  deliveries.push({ id, hook, roomSid, mayBeCancelled: !isInTable(model, hook), again });
}
