import type { IncomingEvent } from "../../src/contracts/storage";
import { parseHostPattern, type HostPattern } from "../../src/domain/host-pattern";
import type { HookId } from "../../src/domain/ids";
import type { JsonObject } from "../../src/domain/json";
import { readLiveKitEvent } from "../../src/domain/livekit-event";
import type { Match } from "../../src/domain/routing";

let lastId = 0;

/** A LiveKit webhook's JSON; `members` replace or add to what every webhook has. */
export function webhookJson(name: string, members: JsonObject = {}): JsonObject {
  return {
    event: name,
    room: { sid: "RM_1", name: "sip-1" },
    id: `EV_test${++lastId}`,
    createdAt: "1795301401",
    ...members,
  };
}

export function incoming(json: JsonObject, match: Match | undefined, receivedAt: number): IncomingEvent {
  const body = new TextEncoder().encode(JSON.stringify(json));
  return { event: readLiveKitEvent(json, body), contentType: "application/webhook+json", body, receivedAt, match };
}

/** A SIP participant as LiveKit sends it when a call to this To header joins. */
export function caller(sid: string, to: string): JsonObject {
  return {
    sid,
    identity: `sip_${sid}`,
    kind: "SIP",
    attributes: { "sip.callID": `SCL_${sid}`, "sip.h.to": `<sip:+1555@${to}>;tag=SCL_${sid}` },
  };
}

export function matchOf(hook: HookId): Match {
  return { kind: "hook", hook, matcher: "exact-host", host: undefined };
}

export function pattern(text: string): HostPattern {
  const parsed = parseHostPattern(text);
  if (parsed === undefined) throw new Error(`${text} is no host pattern`);
  return parsed;
}
