import type * as history from "../../src/contracts/history";
import { UNSUCCESSFUL } from "../../src/contracts/history";
import type { Principal } from "../../src/domain/principal";
import type { CallDetail, CallView } from "./call-schemas";
import type { Obstacles } from "./next-try";
import { given, iso, isoSeconds } from "./read-query";
import { showDetail, showHook } from "./show-delivery";

export function showCall(call: history.CallView): CallView {
  return {
    room_sid: call.roomSid,
    room: call.roomName,
    state: call.state,
    began_at: iso(call.beganAt),
    ...(call.finishedAt === undefined ? {} : { finished_at: iso(call.finishedAt) }),
    hooks: call.hooks.map(showHook),
    participants: call.participants.map(showParticipant),
  };
}

export function showTimeline(
  call: history.CallView,
  events: readonly history.TimelineEvent[],
  caller: Principal,
  obstacles: Obstacles,
): CallDetail {
  return {
    ...showCall(call),
    events: events.map((event) => ({
      webhook_id: event.eventId,
      event: event.eventName,
      ...given("participant", event.participant),
      ...given("created_at", isoSeconds(event.createdAt)),
      received_at: iso(event.receivedAt),
      ...(event.keptAt === undefined ? {} : { kept_at: iso(event.keptAt) }),
      state: event.state,
      deliveries: event.deliveries.map((delivery) => showDetail(delivery, caller, obstacles)),
    })),
    gaps: events.flatMap(({ deliveries }) => deliveries.filter(isGap).map(showGap)),
  };
}

const isGap = ({ state }: history.DeliveryView): boolean => UNSUCCESSFUL.includes(state);

function showGap(delivery: history.DeliveryView): CallDetail["gaps"][number] {
  return {
    delivery: delivery.id,
    webhook_id: delivery.eventId,
    event: delivery.eventName,
    hook: showHook(delivery.hook),
    state: delivery.state,
    ...given("reason", delivery.reason),
    ...given("replayed_by", delivery.replayedBy),
  };
}

function showParticipant(participant: history.ParticipantView): CallView["participants"][number] {
  const { hook } = participant;
  return {
    sid: participant.sid,
    sip: participant.sip,
    ...given("identity", participant.identity),
    ...given("host", participant.host),
    ...(hook === undefined ? {} : { hook: showHook(hook) }),
    ...given("matcher", participant.matcher),
    why: whyThere(participant),
    ...given("call_id", participant.callId),
    ...given("sip_call_id", participant.sipCallId),
    ...given("caller", participant.caller),
    ...given("callee", participant.callee),
  };
}

function whyThere({ sip, host, hook, matcher }: history.ParticipantView): string {
  if (hook !== undefined) {
    const chosen = `The matcher ${matcher ?? "of an earlier version"} chose the hook of ${hook.host ?? hook.id}`;
    return host === undefined ? `${chosen}; no called host was read.` : `${chosen} for the called host ${host}.`;
  }
  if (!sip) return "It is not of kind SIP: its events go to every hook of the room.";
  const found =
    host === undefined ? "No called host was read from its SIP headers" : `No hook matches the called host ${host}`;
  return `${found}: its events follow the room's hooks.`;
}
