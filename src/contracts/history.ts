import type { CallMemory } from "../domain/call";
import type { EventId, HookId, ParticipantSid, RoomSid } from "../domain/ids";
import type { LiveKitEvent } from "../domain/livekit-event";
import type { EventToRoute } from "../domain/route-again";
import type { EarlierEvent } from "../domain/routing";
import type { AttemptRecord, DeliveryId, OwnerTask, PlanDelivery } from "./storage";

/**
 * What happened to calls and deliveries, and asking for deliveries again. A list is read in pages by an index: no call
 * blocks the thread for more than some milliseconds, whatever is stored. Therefore a page may have fewer entries than
 * asked for, or none, and still say where the next one begins.
 */
export interface History {
  /** Newest first. */
  deliveries(filter: DeliveryFilter, page: PageRequest): Promise<Page<DeliveryView>>;

  /** With its attempts, oldest first; undefined when there is none, or none that the viewer may see. */
  delivery(id: DeliveryId, viewer: Viewer): Promise<DeliveryDetail | undefined>;

  /** Events that went to no hook, newest first. */
  unmatched(filter: UnmatchedFilter, page: PageRequest): Promise<Page<UnmatchedEvent>>;

  /** Newest first. */
  calls(filter: CallFilter, page: PageRequest): Promise<Page<CallView>>;

  /** Undefined when there is none, or none that the viewer may see. */
  call(sid: RoomSid, viewer: Viewer): Promise<CallView | undefined>;

  /** The call's events that the viewer may see with their deliveries, in the order in which they were kept. */
  timeline(sid: RoomSid, viewer: Viewer, page: PageRequest): Promise<Page<TimelineEvent>>;

  /**
   * Queues again what fits the filter: of each event and hook the latest delivery counts, so that what is pending, or has
   * arrived since, is left alone unless that state is asked for. In the order in which the events were kept, each at the
   * end of its lane, marked as a replay, in small transactions.
   */
  replay(selection: ReplaySelection, options: ReplayOptions): Promise<ReplayResult>;

  /** Calls without any hook that have events, oldest event first; a call may come twice. */
  callsWithoutHook(filter: TimeSpan & { readonly room?: string }, page: PageRequest): Promise<Page<RoomSid>>;

  /** All events of a call as they were kept, in that order; undefined when the call has a hook, or too many events. */
  eventsWithoutHook(sid: RoomSid): Promise<readonly StoredEvent[] | undefined>;

  /**
   * Routes a call without a hook as if its first event came now, and queues what that gives, marked as a replay; all in
   * one transaction. Its hooks count as in the call since its first event was received. Undefined, and nothing is changed, when no hook gets it, when it has got a hook or another event
   * since `events` were read.
   */
  routeAgain(
    sid: RoomSid,
    events: readonly EventToRoute[],
    options: RouteAgainOptions,
  ): Promise<RoutedAgain | undefined>;

  /**
   * Cancels what is pending of this selection, and moves the lanes on; returns how many deliveries that were. What is under
   * way may still arrive.
   */
  cancelPending(selection: CancelSelection, reason: string, at: number): Promise<number>;

  /** What routing would find for this event now; changes nothing. */
  remembered(event: LiveKitEvent, now: number): Promise<Remembered>;
}

/** Who asks: the operator, or a tenant, who sees its own hooks' part only. */
export type Viewer = "operator" | { readonly authId: string };

export type PageRequest = {
  /** Entries at most; from 1 to 500. */
  readonly limit: number;
  /** `next` of the page before, with the same filter. Anything else is an AppError `invalid_cursor`. */
  readonly after?: string;
};

export type Page<Entry> = {
  readonly entries: readonly Entry[];
  /** Where the next page begins; undefined when this is the last one. */
  readonly next: string | undefined;
};

/** Milliseconds since the epoch; from `since` on, and before `until`. */
export type TimeSpan = { readonly since?: number; readonly until?: number };

/** How a delivery stands. What is `pending` may be under way. */
export type DeliveryState = "pending" | "delivered" | "dead" | "expired" | "cancelled";

export const DELIVERY_STATE_NAMES = ["pending", "delivered", "dead", "expired", "cancelled"] as const;
/** Those of deliveries that ended without arriving. */
export const UNSUCCESSFUL: readonly DeliveryState[] = ["dead", "expired", "cancelled"];

/** The span counts when the delivery was made. */
export type DeliveryFilter = TimeSpan & {
  readonly viewer: Viewer;
  readonly states?: readonly DeliveryState[];
  /** The host of its hook, as it is in the table; also of a hook that is gone. */
  readonly host?: string;
  readonly authId?: string;
  readonly room?: string;
  readonly roomSid?: RoomSid;
  readonly eventName?: string;
};

/** A hook by what is remembered of it, also when it is gone. */
export type HookName = {
  readonly id: HookId;
  readonly host: string | undefined;
  readonly authId: string | undefined;
};

export type DeliveryView = {
  readonly id: DeliveryId;
  readonly state: DeliveryState;
  readonly hook: HookName;
  readonly roomSid: RoomSid;
  readonly roomName: string;
  readonly eventId: EventId;
  readonly eventName: string;
  readonly receivedAt: number;
  readonly madeAt: number;
  readonly settledAt: number | undefined;
  readonly reason: string | undefined;
  readonly attempts: number;
  readonly replay: boolean;
  /** When it may go out; undefined when it has ended, or waits for another delivery of its call. */
  readonly nextTry: number | undefined;
  /** The delivery of its call that goes out before it. */
  readonly waitsFor: DeliveryId | undefined;
  /** The latest delivery of the same event to the same hook, when that is another one: it was replayed. */
  readonly replayedBy: { readonly id: DeliveryId; readonly state: DeliveryState } | undefined;
};

export type AttemptView = AttemptRecord & { readonly n: number };
export type DeliveryDetail = DeliveryView & { readonly tries: readonly AttemptView[] };

/** The span counts when the event was received. */
export type UnmatchedFilter = TimeSpan & {
  readonly room?: string;
  /** A host that was called, normalised. */
  readonly host?: string;
  /** Shows only what is about callers of hosts for which this is true, and what is about no caller of another host. */
  readonly maySeeHost?: (host: string) => boolean;
};

export type UnmatchedEvent = {
  readonly eventId: EventId;
  readonly eventName: string;
  readonly roomName: string;
  readonly roomSid: RoomSid | undefined;
  readonly createdAt: number | undefined;
  readonly receivedAt: number;
  /** The hosts that its call's SIP participants called; of a SIP participant's own event that one alone. */
  readonly hosts: readonly string[];
  readonly why: UnmatchedReason;
};

/**
 * - `no_call`: it names no room sid, and no call of its room's name was known;
 * - `no_caller`: no SIP participant with attributes was seen in its call;
 * - `no_host`: no called host could be read from the SIP headers;
 * - `no_hook`: no hook matches the called host;
 * - `unknown_participant`: its call has a hook, but whose participant it is about was never told.
 */
export type UnmatchedReason = "no_call" | "no_caller" | "no_host" | "no_hook" | "unknown_participant";

/** The span counts when the call began; to a tenant, when its first hook came into it. */
export type CallFilter = TimeSpan & {
  readonly viewer: Viewer;
  readonly sipCallId?: string;
  readonly caller?: string;
  readonly callee?: string;
  readonly room?: string;
  readonly host?: string;
  readonly state?: CallState;
};

/** `finished` when its room has finished. */
export type CallState = "active" | "finished";

export type CallView = {
  readonly roomSid: RoomSid;
  readonly roomName: string;
  readonly state: CallState;
  /** When its first event was received; to a tenant, when its first hook came into it. */
  readonly beganAt: number;
  readonly finishedAt: number | undefined;
  /** In the order in which they came into the call. */
  readonly hooks: readonly HookName[];
  readonly participants: readonly ParticipantView[];
};

/** A participant of whom it is known where its events go. */
export type ParticipantView = {
  readonly sid: ParticipantSid;
  readonly sip: boolean;
  readonly identity: string | undefined;
  readonly host: string | undefined;
  /** Undefined: its events go to all hooks of the room. */
  readonly hook: HookName | undefined;
  /** The matcher that chose the hook. */
  readonly matcher: string | undefined;
  /** LiveKit's id of the call, and the SIP Call-ID. */
  readonly callId: string | undefined;
  readonly sipCallId: string | undefined;
  readonly caller: string | undefined;
  readonly callee: string | undefined;
};

export type TimelineEvent = {
  readonly eventId: EventId;
  readonly eventName: string;
  readonly participant: ParticipantSid | undefined;
  /** LiveKit's time, in whole seconds since the epoch. */
  readonly createdAt: number | undefined;
  readonly receivedAt: number;
  /** When the commit began whose end is the acknowledgement. */
  readonly keptAt: number | undefined;
  readonly state: "routed" | "held" | "unmatched";
  readonly deliveries: readonly DeliveryDetail[];
};

export type ReplaySelection =
  | { readonly kind: "delivery"; readonly id: DeliveryId; readonly viewer: Viewer }
  | {
      readonly kind: "filter";
      readonly filter: DeliveryFilter & { readonly states: readonly DeliveryState[] };
      /** Deliveries at most; what is left is `next`. */
      readonly limit: number;
      readonly after?: string;
    };

export type ReplayOptions = {
  readonly plan: PlanDelivery;
  readonly at: number;
  /** Only counts. */
  readonly dryRun: boolean;
};

export type ReplayResult = {
  readonly queued: number;
  /** Left alone: it is pending already. */
  readonly pending: number;
  /** Left alone: its hook is gone, or does not want such events any more. */
  readonly unwanted: number;
  readonly hooks: readonly HookId[];
  readonly next: string | undefined;
};

export type StoredEvent = {
  readonly id: EventId;
  readonly body: Uint8Array;
  readonly receivedAt: number;
};

export type RouteAgainOptions = ReplayOptions;

export type RoutedAgain = {
  readonly queued: number;
  /** Left out: its hook does not want such events. */
  readonly unwanted: number;
  readonly hooks: readonly HookId[];
  readonly ownerTasks: readonly OwnerTask[];
};

export type CancelSelection =
  | { readonly kind: "deliveries"; readonly ids: readonly DeliveryId[]; readonly viewer: Viewer }
  | { readonly kind: "hook"; readonly hook: HookId }
  | { readonly kind: "call"; readonly roomSid: RoomSid; readonly viewer: Viewer };

export type Remembered = {
  /** The event's id is known: it would add nothing. */
  readonly duplicate: boolean;
  readonly call:
    | {
        readonly memory: CallMemory;
        readonly all: readonly EarlierEvent[];
        readonly held: readonly EarlierEvent[];
      }
    | undefined;
};
