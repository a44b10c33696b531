import { readLiveKitEvent } from "../../domain/livekit-event";
import type { IncomingEvent } from "../storage";
import { A, NOW, to } from "./sample-events";

/** The hook that all of these events go to. */
export const HOOK = A;

/** The `n`th event of the `call`th call, from 0; the first one is its caller's. */
export function numberedEvent(call: number, n: number): IncomingEvent {
  const caller = { sid: `PA_${call}`, kind: "SIP", attributes: { "sip.callID": `SCL_${call}` } };
  const json = {
    event: n === 0 ? "participant_joined" : `event_${n}`,
    id: `EV_${call}_${n}`,
    createdAt: "1795301401",
    room: { sid: `RM_${call}`, name: `sip-${call}` },
    ...(n === 0 ? { participant: caller } : {}),
  };
  const body = new TextEncoder().encode(JSON.stringify(json));
  return {
    event: readLiveKitEvent(json, body),
    contentType: "application/webhook+json",
    body,
    receivedAt: NOW,
    match: n === 0 ? to(HOOK) : undefined,
  };
}

/** Which call's which event this id is. */
export function numbersOf(eventId: string): { readonly call: number; readonly n: number } {
  const [, call = "", n = ""] = eventId.split("_");
  return { call: Number(call), n: Number(n) };
}
