import type { CallMemory } from "../domain/call";
import type { Hook } from "../domain/hook";
import type { Host } from "../domain/host";
import type { ParticipantSid } from "../domain/ids";
import type { Attributes, LiveKitEvent } from "../domain/livekit-event";

/** A hook that a participant may be given to. Its url and its secrets are not a matcher's business. */
export type CandidateHook = Pick<Hook, "id" | "host" | "authId" | "source">;

/** The forwarding table as it is now, without hooks that a hook of the configuration shadows. */
export interface CandidateHooks {
  /** The hook whose host is exactly this one. */
  exact(host: Host): CandidateHook | undefined;
  /** The hook with the longest `*.suffix` that this host ends in. */
  wildcard(host: Host): CandidateHook | undefined;
  /** The hook that is in the table under this host or wildcard, in whatever case it is written here. */
  byHost(host: string): CandidateHook | undefined;
  /** In the order of the configuration, then as they were added. A new list each time: costly in a large table. */
  all(): readonly CandidateHook[];
}

/** Whom the call was for. The caller wrote all of it: it may say anything. */
export type CalledAddress = {
  /** From the first of `sip.host_headers` that is there and parses, normalised; undefined when none does. */
  readonly host: Host | undefined;
  /** The user part of the same address as it was written (`+15557654321`, `bob`, `u%40x`). */
  readonly user: string | undefined;
  /**
   * The number that was called, as LiveKit has it in `sip.trunkPhoneNumber`: digits, `*`, `#` and perhaps a `+`, without
   * what only makes it readable. Undefined when it is no number, and for an outbound leg, where that attribute is the
   * number it calls from.
   */
  readonly number: string | undefined;
};

/** What is remembered of the participant's call: who was decided, and the hooks that are in it. */
export type RememberedCall = Pick<CallMemory, "roomSid" | "roomName" | "hooks" | "participants">;

/** What a matcher sees of a SIP participant that has to be decided. The event, its participant and attributes are frozen. */
export type MatchView = {
  readonly event: LiveKitEvent;
  readonly participant: {
    readonly sid: ParticipantSid;
    readonly identity: string | undefined;
    readonly attributes: Attributes;
  };
  readonly called: CalledAddress;
  readonly hooks: CandidateHooks;
  /** Reads the storage, so only when it is called. Undefined for the first event of a call. */
  remembered(): Promise<RememberedCall | undefined>;
  /** Aborted when the deadline (`sip.matcher_deadline`) has passed: hand it to `fetch`. */
  readonly signal: AbortSignal;
};

export type MatchAnswer =
  | { readonly kind: "hook"; readonly hook: CandidateHook }
  /** It belongs to no hook; later matchers are not asked. */
  | { readonly kind: "none" }
  /** Not for this matcher to say; the next one is asked. */
  | { readonly kind: "not-mine" };

/**
 * Decides which hook a SIP participant belongs to. The matchers of `sip.matchers` are asked in that order about each event
 * that carries a SIP participant's attributes (joined, left, aborted); the first answer about a participant counts for the
 * rest of its call.
 *
 * LiveKit waits for the answer, and the room's next events wait behind it. An answer that is no promise costs nothing
 * more; a promise has until the deadline, which covers all matchers asked about the event together.
 *
 * A matcher that throws, rejects, is too late, or answers with something else fails closed: the participant stays undecided
 * and no other matcher is asked, because that one could name another tenant. The event is kept, is held with its call, and
 * the next event of the participant that carries attributes is asked about again.
 */
export interface Matcher {
  /** As it is named in `sip.matchers`. */
  readonly name: string;
  match(view: MatchView): MatchAnswer | Promise<MatchAnswer>;
}
