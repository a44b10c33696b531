import { newCall } from "sayna-sip";
import type {
  AttemptRecord,
  CallMemory,
  DeliveryState,
  EventId,
  HookChange,
  HookId,
  HostPattern,
  IncomingEvent,
  KnownHook,
  ParticipantDetails,
  ParticipantSid,
  PausedHook,
  RoomSid,
  StoredHook,
  TimelineEvent,
} from "sayna-sip";

/** Everything that is stored. Each part of the storage is functions of it. */
export type State = {
  /** By their sequence: the order of the commits. */
  readonly events: Map<number, KeptEvent>;
  readonly byId: Map<EventId, KeptEvent>;
  readonly calls: Map<RoomSid, KeptCall>;
  readonly deliveries: Map<number, Delivery>;
  readonly lanes: Map<string, Lane>;
  /** Ids of events that were removed, and until when (ms) a repetition is still known. */
  readonly removedIds: Map<EventId, number>;
  readonly known: Map<HookId, KnownHook>;
  readonly paused: Map<HookId, PausedHook>;
  readonly changes: HookChange[];
  /** In the order of their addition. */
  readonly hooks: Map<HostPattern, StoredHook>;
  /** The last number that was given to anything. */
  last: number;
};

export type KeptEvent = {
  readonly seq: number;
  readonly incoming: IncomingEvent;
  readonly call: KeptCall | undefined;
  readonly keptAt: number;
  readonly deliveries: Delivery[];
  state: TimelineEvent["state"];
};

export type KeptCall = {
  readonly id: number;
  readonly firstAt: number;
  /** When each hook came into the call. */
  readonly joined: Map<HookId, number>;
  /** What the history says of each, from the event that decided it. */
  readonly people: Map<ParticipantSid, ParticipantDetails>;
  /** The tenants that are to own the room, and whether they do. */
  readonly owners: Map<string, "open" | "done">;
  memory: CallMemory;
  lastAt: number;
  finishedAt: number | undefined;
};

export type Delivery = {
  readonly id: number;
  readonly event: KeptEvent;
  readonly call: KeptCall;
  readonly hook: HookId;
  readonly lane: Lane;
  readonly replay: boolean;
  readonly madeAt: number;
  readonly attempts: AttemptRecord[];
  state: DeliveryState;
  settledAt: number | undefined;
  reason: string | undefined;
  failures: number;
  refusals: number;
};

/** What one call has for one hook: the first in `pending` is next, at `due`, after having waited for `wait` ms. */
export type Lane = { readonly id: number; readonly hook: HookId; pending: Delivery[]; due: number; wait: number };

export function emptyState(): State {
  return {
    events: new Map(),
    byId: new Map(),
    calls: new Map(),
    deliveries: new Map(),
    lanes: new Map(),
    removedIds: new Map(),
    known: new Map(),
    paused: new Map(),
    changes: [],
    hooks: new Map(),
    last: 0,
  };
}

export const nextNumber = (state: State): number => ++state.last;

/** The call of this room sid; a new one when it is not known. */
export function callOf(state: State, sid: RoomSid, roomName: string, now: number): KeptCall {
  const known = state.calls.get(sid);
  if (known !== undefined) return known;
  const call: KeptCall = {
    id: nextNumber(state),
    firstAt: now,
    joined: new Map(),
    people: new Map(),
    owners: new Map(),
    memory: newCall(sid, roomName),
    lastAt: now,
    finishedAt: undefined,
  };
  state.calls.set(sid, call);
  return call;
}

export const eventsOf = (state: State, call: KeptCall): KeptEvent[] =>
  [...state.events.values()].filter((event) => event.call === call);
