import type { StoredHook } from "../domain/hook";
import type { HostPattern } from "../domain/host-pattern";
import type { EventId, HookId, RoomSid } from "../domain/ids";
import type { LiveKitEvent } from "../domain/livekit-event";
import type { Match } from "../domain/routing";
import type { History, Page, PageRequest } from "./history";
import type { StorageFigures } from "./storage-figures";
import type { Upkeep } from "./upkeep";

/**
 * Where hooks, calls, events, deliveries and attempts live. A promise that is fulfilled means that the change is on disk
 * and survives `kill -9` and power loss; one that is rejected means that nothing was changed.
 */
export interface Storage extends Upkeep, History {
  /**
   * Keeps events and the deliveries that `routeEvent` makes of them, in the order given, all in one transaction. An event
   * whose id is known adds nothing. `plan` says how each hook wants each event.
   */
  commit(events: readonly IncomingEvent[], plan: PlanDelivery): Promise<readonly CommitResult[]>;

  /**
   * Lists as unmatched what has been held since before `heldBefore` (ms since the epoch), or whose room has finished.
   * Each event is returned once; it stays with its call.
   */
  listUnmatched(heldBefore: number): Promise<readonly UnmatchedCall[]>;

  /** Hooks that have something pending, due or not. */
  waitingHooks(): Promise<readonly HookId[]>;

  /**
   * The heads of lanes of this hook that are due, oldest due first (at equal times always in the same order), at most
   * `limit`: of each lane the first pending delivery, and none of a lane in `busy`. `nextDue` is when the next one becomes due, if these were not all.
   *
   * With `now` = Infinity what waits for its retry is handed out as well: that is how a breaker probes.
   */
  claim(hook: HookId, options: ClaimOptions): Promise<Claim>;

  /**
   * Makes what waits for its retry due at `at`, in small steps; returns how many lanes that were. For a hook that works
   * again.
   */
  makeDue(hook: HookId, at: number): Promise<number>;

  /**
   * Makes nothing of this hook wait longer from `now` than it was to wait when its attempt failed: what was dated by a clock
   * that has been set back since would wait for that hour too.
   */
  limitWaits(hook: HookId, now: number): Promise<void>;

  /** Records what came of deliveries and moves their lanes on, all in one transaction. */
  settle(settlements: readonly Settlement[]): Promise<void>;

  /** Remembers which hook has which host and tenant, also when it is gone: the history is read by them. */
  rememberHooks(hooks: readonly KnownHook[]): Promise<void>;

  /** The hooks added at run time, in the order of their addition. To be read before anything is changed. */
  readHooks(page: PageRequest): Promise<Page<StoredHook>>;

  /**
   * Changes hooks added at run time, all or nothing, in one with the record of who changed what, unless nothing differs. What
   * it costs depends on how many hosts are named, not on how many hooks there are, and no stretch of it blocks the thread
   * for more than some milliseconds. A replaced hook keeps its place, a new one comes last. New hooks are remembered.
   *
   * @param change is given what each of `hosts` has now, and says what of that is to be otherwise; what it throws is thrown,
   *   and nothing is changed then. Changes follow each other: nothing else is changed while it takes its time.
   * @throws RangeError when `change` names a host that is none of `hosts`.
   */
  changeHooks(author: ChangeAuthor, hosts: readonly HostPattern[], change: ChangeHosts): Promise<HookChange>;

  /**
   * The same for going back: `change` is given what differs now from how this version left it, and says which of that is to
   * be so again. What it costs depends on what has been changed since. A hook that comes back comes last.
   */
  restoreHooks(author: ChangeAuthor, version: number, change: RestoreHosts): Promise<HookChange>;

  /** The versions of the hooks added at run time, newest first; with `before` those before that one. They count from 1. */
  hookVersions(limit: number, before?: number): Promise<readonly HookVersion[]>;

  /**
   * The hosts whose hook in version `to` is another one than in `from`, which may be the later one, in no certain order.
   * Version 0 is the empty table. What it costs depends on what was changed between the two.
   */
  hookDifferences(from: number, to: number): Promise<readonly HostDifference[]>;

  /** Cancels all that is pending for this hook; returns how many deliveries that were. */
  cancelHook(hook: HookId): Promise<number>;

  pausedHooks(): Promise<readonly PausedHook[]>;
  /** All of them or none; what is paused already stays as it is. */
  pauseHooks(hooks: readonly HookId[], reason: string, at: number): Promise<void>;
  resumeHooks(hooks: readonly HookId[], at: number): Promise<void>;

  /** Rooms that are still to be made owned by a tenant (routing rule 11). */
  ownerTasks(): Promise<readonly OwnerTask[]>;
  ownerTaskDone(task: Pick<OwnerTask, "roomSid" | "authId">): Promise<void>;

  /** Rejects when nothing can be written now. */
  checkWritable(): Promise<void>;

  /** What the metrics show of the contents; without it they show nothing of them. */
  figures?(): Promise<StorageFigures>;

  /**
   * Only of a storage that several instances share: `listener` is called with hooks for which another one may have made
   * something to send, or has left it. May be called without reason.
   */
  onWork?(listener: (hooks: readonly HookId[]) => void): void;

  /** Only of a storage that several instances share: another one may have changed, paused or resumed hooks. */
  onHooksChanged?(listener: () => void): void;

  /** Only of a storage that several instances share: `run` waits while another one runs what has the same name. */
  exclusive?<Result>(name: string, run: () => Promise<Result>): Promise<Result>;

  close(): Promise<void>;
}

/**
 * How a hook wants an event of this name: `ordered`, behind what its call has for it; `unordered`, for itself; `unwanted`,
 * not at all. `gone`: there is no such hook any more; the delivery is made `cancelled`, so that it can be seen.
 */
export type DeliveryPlan = "ordered" | "unordered" | "unwanted" | "gone";
export type PlanDelivery = (hook: HookId, eventName: string) => DeliveryPlan;

export type KnownHook = { readonly id: HookId; readonly host: HostPattern; readonly authId?: string };

export type IncomingEvent = {
  readonly event: LiveKitEvent;
  readonly contentType: string;
  /** Exactly as LiveKit sent it. */
  readonly body: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly match: Match | undefined;
};

export type CommitResult =
  | { readonly kind: "duplicate" }
  | {
      readonly kind: "kept";
      /** Undefined when the event names no room sid and no call of its room's name is known. */
      readonly roomSid: RoomSid | undefined;
      /** Hooks that have something new to send. */
      readonly hooks: readonly HookId[];
      readonly held: boolean;
      readonly unmatchedParticipant: boolean;
      /** The room is to be made owned by this tenant; kept as an owner task. */
      readonly ownerTask: OwnerTask | undefined;
    };

export type OwnerTask = { readonly roomSid: RoomSid; readonly roomName: string; readonly authId: string };

export type UnmatchedCall = {
  readonly roomSid: RoomSid | undefined;
  readonly roomName: string;
  readonly events: number;
};

export type ClaimOptions = {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly limit: number;
  readonly busy: ReadonlySet<LaneId>;
};

export type Claim = { readonly deliveries: readonly PendingDelivery[]; readonly nextDue: number | undefined };

/**
 * One lane: a hook and a call, whose deliveries go out one at a time in the order of their commits; or, without order, a
 * single delivery.
 */
export type LaneId = number;
export type DeliveryId = number;

export type PendingDelivery = {
  readonly id: DeliveryId;
  readonly lane: LaneId;
  readonly hook: HookId;
  readonly roomSid: RoomSid | undefined;
  readonly eventId: EventId;
  readonly eventName: string;
  readonly contentType: string;
  readonly body: Uint8Array;
  /** When the event was received, ms since the epoch: the age of a delivery counts from here. */
  readonly receivedAt: number;
  /** Attempts so far. */
  readonly attempts: number;
  /** Of these, how many failed and count: not those that a breaker made or that ended while it was open. */
  readonly failures: number;
  /** Of these, how many were refused because of the event itself. */
  readonly refusals: number;
  /** True when it was sent before, or had been given up, and somebody asked for it again. */
  readonly replay: boolean;
};

export type Settlement = {
  readonly delivery: Pick<PendingDelivery, "id" | "lane">;
  readonly at: number;
  readonly attempt: AttemptRecord | undefined;
  readonly outcome: Outcome;
};

export type Outcome =
  | { readonly kind: "delivered" }
  /** `counts`: the attempt uses up the schedule. `refusal`: it failed because of the event itself. */
  | {
      readonly kind: "retry";
      readonly dueAt: number;
      /** How long it is to wait, in ms: the due time alone does not say it once the clock was set. */
      readonly wait: number;
      readonly counts: boolean;
      readonly refusal: boolean;
    }
  | { readonly kind: "dead"; readonly reason: string }
  | { readonly kind: "expired" };

export type AttemptRecord = {
  readonly startedAt: number;
  readonly durationMs: number;
  /** The HTTP status, or undefined when there was no answer. */
  readonly status: number | undefined;
  readonly error: string | undefined;
  /** The first KiB of the answer's body at most. */
  readonly answerStart: Uint8Array | undefined;
};

export type ChangeAuthor = { readonly who: string; readonly at: number };

/** What each of the named hosts has, and what of that is to be otherwise. */
export type ChangeHosts = (present: PresentHooks) => HookReplacements | Promise<HookReplacements>;
/** What each host has now and had then, and what of that is to be so again. */
export type RestoreHosts = (differences: readonly HostDifference[]) => HookReplacements | Promise<HookReplacements>;

/** Every named host is a key; undefined where it has no hook. */
export type PresentHooks = ReadonlyMap<HostPattern, StoredHook | undefined>;

/** What a host is to have; without `after`, no hook. */
export type HookReplacement = { readonly host: HostPattern; readonly after?: StoredHook };
export type HookReplacements = readonly HookReplacement[];

/** `before` or `after` is absent where the host had none. */
export type HostDifference = HookReplacement & { readonly before?: StoredHook };

export type HookChange = {
  readonly version: number;
  readonly who: string;
  readonly at: number;
  /** Only the hosts that differ. */
  readonly hosts: readonly HostDifference[];
};

/** A change in short. */
export type HookVersion = Omit<HookChange, "hosts"> & {
  readonly added: number;
  readonly replaced: number;
  readonly removed: number;
  /** The first `HOSTS_OF_VERSION` of those that it changed. */
  readonly hosts: readonly HostPattern[];
};

export const HOSTS_OF_VERSION = 20;

export type PausedHook = { readonly hook: HookId; readonly reason: string; readonly since: number };
