import type { CallMemory, ParticipantRoute } from "./call";
import type { Host } from "./host";
import type { HookId, ParticipantSid } from "./ids";
import type { LiveKitEvent, Subject } from "./livekit-event";

/** What the matchers said of a SIP participant that carries attributes. */
export type Match =
  | {
      readonly kind: "hook";
      readonly hook: HookId;
      readonly matcher: string;
      readonly host: Host | undefined;
      /** The tenant that is to own the room (routing rule 11); absent when nobody is, or when that is switched off. */
      readonly owner?: string;
    }
  | { readonly kind: "none"; readonly host: Host | undefined };

/** An event of the same call that was kept before. */
export type EarlierEvent = {
  readonly seq: number;
  readonly subject: "room" | "unreadable" | ParticipantSid;
};

export type RoutedDelivery = {
  /** The earlier event that goes to this hook now, or `this` one. */
  readonly event: number | "this";
  readonly hook: HookId;
};

export type Routing = {
  readonly call: CallMemory;
  /** In the order in which they are to be committed. */
  readonly deliveries: readonly RoutedDelivery[];
  /** True when this event goes to no hook yet; it stays with the call. */
  readonly held: boolean;
  /** The participant that this event decided, if it did. */
  readonly decided: ParticipantSid | undefined;
  /** A SIP participant was decided by this event, and no hook matches it. */
  readonly unmatchedParticipant: boolean;
};

/**
 * Decides where an event goes (routing rules 6 and 7). Pure: storage calls it inside the transaction that commits the
 * event, with the call as it is there.
 *
 * A hook that a SIP participant brings into the room gets the whole call: all that went, or would have gone, to every
 * hook of the room, and what was held of that participant, before the event that brought it.
 *
 * What is about a participant of whom only the sid is known (its `participant_joined` was lost) is held until an event
 * tells what it is. Fails closed because it could be another tenant's caller.
 *
 * @param earlier the call's events so far in order of their commits; `held`: those only that went to no hook.
 */
export function routeEvent(
  call: CallMemory,
  event: LiveKitEvent,
  match: Match | undefined,
  earlier: (which: "all" | "held") => readonly EarlierEvent[],
): Routing {
  const decided = decideParticipant(call, event.subject, match);
  if (decided === undefined) return routeKnown(call, event.subject);

  const { sid, route } = decided;
  const participants = new Map(call.participants).set(sid, route);
  const ofParticipant = (e: EarlierEvent) => e.subject === sid;
  if (route.kind === "room") {
    const released = call.hooks.length === 0 ? [] : earlier("held").filter(ofParticipant);
    return {
      call: { ...call, participants },
      deliveries: [...released.map((e) => e.seq), "this" as const].flatMap((e) => toAll(call.hooks, e)),
      held: call.hooks.length === 0,
      decided: sid,
      unmatchedParticipant: match?.kind === "none",
    };
  }
  const joins = !call.hooks.includes(route.hook);
  const goesToAll = (e: EarlierEvent) =>
    e.subject === "room" || (e.subject !== "unreadable" && participants.get(e.subject)?.kind === "room");
  // Before its first hook nothing of a call went anywhere, and what was held is found without looking at all of it.
  const which = joins && call.hooks.length > 0 ? "all" : "held";
  const released = earlier(which).filter((e) => ofParticipant(e) || (joins && goesToAll(e)));
  return {
    call: { ...call, participants, hooks: joins ? [...call.hooks, route.hook] : call.hooks },
    deliveries: [...released.map((e) => e.seq), "this" as const].map((e) => ({ event: e, hook: route.hook })),
    held: false,
    decided: sid,
    unmatchedParticipant: false,
  };
}

function decideParticipant(
  call: CallMemory,
  subject: Subject,
  match: Match | undefined,
): { sid: ParticipantSid; route: ParticipantRoute } | undefined {
  if (subject.kind !== "participant" || call.participants.has(subject.sid)) return undefined;
  if (subject.sip === false) return { sid: subject.sid, route: { kind: "room" } };
  if (match === undefined) return undefined;
  return { sid: subject.sid, route: match.kind === "hook" ? { kind: "hook", hook: match.hook } : { kind: "room" } };
}

function routeKnown(call: CallMemory, subject: Subject): Routing {
  const hooks = hooksOf(call, subject);
  return {
    call,
    deliveries: toAll(hooks, "this"),
    held: hooks.length === 0,
    decided: undefined,
    unmatchedParticipant: false,
  };
}

function hooksOf(call: CallMemory, subject: Subject): readonly HookId[] {
  switch (subject.kind) {
    case "room":
      return call.hooks;
    case "unreadable":
      return [];
    case "participant": {
      const route = call.participants.get(subject.sid);
      if (route === undefined) return [];
      return route.kind === "hook" ? [route.hook] : call.hooks;
    }
  }
}

function toAll(hooks: readonly HookId[], event: number | "this"): readonly RoutedDelivery[] {
  return hooks.map((hook) => ({ event, hook }));
}
