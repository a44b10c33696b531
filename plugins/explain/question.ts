import { AppError } from "../../src/domain/errors";
import { normalizeHost } from "../../src/domain/host";
import { parseSipAddress } from "../../src/domain/sip-address";
import { isJsonObject, type JsonObject } from "../../src/domain/json";
import { readLiveKitEvent, type LiveKitEvent } from "../../src/domain/livekit-event";
import { headerAttribute } from "../webhook-forwarder/router/called-host";
import type { ExplainRequest } from "./explain-schemas";

/**
 * `supposed`: the first event of a caller who calls this host; it belongs to no call. `noHost`: what was given as a host and is
 * none that could be called.
 */
export type Question = {
  readonly event: LiveKitEvent;
  readonly supposed: boolean;
  readonly noHost?: string | undefined;
};

/**
 * The event that is asked about.
 *
 * @param header the first of `host_headers`.
 * @throws AppError `invalid_request` unless exactly one of the members is there; `invalid_json`
 */
export function readQuestion({ to, host, event }: ExplainRequest, roomPrefix: string, header: string): Question {
  if ([to, host, event].filter((value) => value !== undefined).length !== 1) {
    throw new AppError("invalid_request", { message: "name one of to, host and event" });
  }
  if (event !== undefined) {
    const body = typeof event === "string" ? event : JSON.stringify(event);
    return { event: readLiveKitEvent(parseObject(body), new TextEncoder().encode(body)), supposed: false };
  }
  const value = to ?? normalizeHost(host ?? "");
  const number = to === undefined ? undefined : parseSipAddress(to)?.user;
  const attributes = {
    "sip.callStatus": "ringing",
    // As LiveKit has them for a call that comes in; the number is the To header's user part.
    "sip.ruleID": "SDR_supposed",
    ...(number === undefined ? {} : { "sip.trunkPhoneNumber": number }),
    ...(value === undefined ? {} : { [headerAttribute(header)]: value }),
  };
  const participant = { sid: "PA_supposed", identity: "sip_supposed", kind: "SIP", attributes };
  const json = { event: "participant_joined", id: "EV_supposed", room: { name: `${roomPrefix}supposed` }, participant };
  const noHost = value === undefined ? host : undefined;
  return { event: readLiveKitEvent(json, new Uint8Array()), supposed: true, noHost };
}

function parseObject(text: string): JsonObject {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new AppError("invalid_json");
  }
  if (!isJsonObject(json)) throw new AppError("invalid_json");
  return json;
}
