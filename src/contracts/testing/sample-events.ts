import { hookId } from "../../domain/hook";
import { normalizeHost } from "../../domain/host";
import { parseHostPattern, type HostPattern } from "../../domain/host-pattern";
import type { HookId } from "../../domain/ids";
import type { JsonObject } from "../../domain/json";
import { readLiveKitEvent } from "../../domain/livekit-event";
import type { Match } from "../../domain/routing";
import type { Viewer } from "../history";
import type { IncomingEvent, KnownHook, Outcome } from "../storage";

export const NOW = Date.parse("2026-11-21T22:50:00Z");
export const HOUR = 60 * 60 * 1000;
export const A = hookId(pattern("a.example.com"), "tenant-a");
export const B = hookId(pattern("b.example.com"), "tenant-b");
export const HOOKS: readonly KnownHook[] = [
  { id: A, host: pattern("a.example.com"), authId: "tenant-a" },
  { id: B, host: pattern("b.example.com"), authId: "tenant-b" },
];
export const tenantA: Viewer = { authId: "tenant-a" };
export const tenantB: Viewer = { authId: "tenant-b" };
export const DEAD: Outcome = { kind: "dead", reason: "6 attempts failed" };

let lastId = 0;

export function event(name: string, members: JsonObject = {}, match?: Match, receivedAt = NOW): IncomingEvent {
  const json = { event: name, id: `EV_${++lastId}`, createdAt: "1795301401", room: room("RM_1"), ...members };
  const body = new TextEncoder().encode(JSON.stringify(json));
  return { event: readLiveKitEvent(json, body), contentType: "application/webhook+json", body, receivedAt, match };
}

export function sip(sid: string, caller = "+1000", sipCallId = "call-0") {
  const attributes = {
    "sip.callID": `SCL_${sid}`,
    "sip.callIDFull": sipCallId,
    "sip.phoneNumber": caller,
    "sip.trunkPhoneNumber": "+49",
  };
  return { sid, kind: "SIP", attributes };
}

/** The same event, at another time. */
export function at(receivedAt: number, incoming: IncomingEvent): IncomingEvent {
  return { ...incoming, receivedAt };
}

export function room(sid: string) {
  return { sid, name: "sip-1" };
}

export function to(hook: HookId, host?: string): Match {
  return { kind: "hook", hook, matcher: "exact-host", host: host === undefined ? undefined : normalizeHost(host) };
}

export function nobody(host?: string): Match {
  return { kind: "none", host: host === undefined ? undefined : normalizeHost(host) };
}

export function pattern(text: string): HostPattern {
  const parsed = parseHostPattern(text);
  if (parsed === undefined) throw new Error(`${text} is no host pattern`);
  return parsed;
}
