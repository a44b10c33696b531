import { newCall, type CallMemory } from "./call";
import type { EventId, HookId, ParticipantSid, RoomSid } from "./ids";
import type { LiveKitEvent } from "./livekit-event";
import { routeEvent, type EarlierEvent, type Match } from "./routing";

/** An event of a call that is routed anew, with what the matchers say of it now. */
export type EventToRoute = {
  readonly id: EventId;
  readonly event: LiveKitEvent;
  readonly match: Match | undefined;
};

export type CallRoutedAgain = {
  readonly call: CallMemory;
  /** In the order in which they are to be queued; `event` is an index of the events given. */
  readonly deliveries: readonly { readonly event: number; readonly hook: HookId }[];
  /** The event that decided each participant, as an index. */
  readonly deciders: ReadonlyMap<ParticipantSid, number>;
};

/**
 * Where a call's events go when they are routed from its beginning: what live routing gives when the hooks of now had been
 * there then (routing rules 6 and 7), so that nobody gets another tenant's participant by a replay either.
 */
export function routeAgain(
  roomSid: RoomSid,
  roomName: string,
  events: readonly Pick<EventToRoute, "event" | "match">[],
): CallRoutedAgain {
  let call = newCall(roomSid, roomName);
  const earlier: EarlierEvent[] = [];
  const held = new Set<number>();
  const deliveries: { event: number; hook: HookId }[] = [];
  const deciders = new Map<ParticipantSid, number>();
  for (const [index, { event, match }] of events.entries()) {
    const routing = routeEvent(call, event, match, (which) =>
      which === "all" ? earlier : earlier.filter(({ seq }) => held.has(seq)),
    );
    call = routing.call;
    if (routing.decided !== undefined) deciders.set(routing.decided, index);
    if (routing.held) held.add(index);
    for (const delivery of routing.deliveries) {
      const which = delivery.event === "this" ? index : delivery.event;
      held.delete(which);
      deliveries.push({ event: which, hook: delivery.hook });
    }
    earlier.push({
      seq: index,
      subject: event.subject.kind === "participant" ? event.subject.sid : event.subject.kind,
    });
  }
  return { call, deliveries, deciders };
}
