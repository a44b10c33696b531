import { createHash } from "node:crypto";
import { eventId, participantSid, roomSid, type EventId, type ParticipantSid, type RoomSid } from "./ids";
import { isJsonObject, type JsonObject } from "./json";

/**
 * What is read from a LiveKit webhook (protojson of `livekit.WebhookEvent`). Only what routing needs: the body itself is
 * kept and sent on as raw bytes. Whatever cannot be read is absent; reading never fails on a JSON object, because LiveKit
 * adds fields, events and enum values, and takes every 4xx for a success.
 */
export type LiveKitEvent = {
  readonly id: EventId;
  /** `room_started`, `participant_joined`, …; empty when there is none. */
  readonly name: string;
  /** LiveKit's time in whole seconds since the epoch: too coarse to sort by. */
  readonly createdAt: number | undefined;
  readonly roomName: string | undefined;
  readonly roomSid: RoomSid | undefined;
  readonly subject: Subject;
};

/** Whom an event is about. */
export type Subject =
  | { readonly kind: "room" }
  | {
      readonly kind: "participant";
      readonly sid: ParticipantSid;
      /** The participant's name in the room; for people, never to find a participant by: a rejoin repeats it. */
      readonly identity: string | undefined;
      /** Undefined where the event does not say: `track_*` carries sid and identity only. */
      readonly sip: boolean | undefined;
      /** Present and not empty in `participant_joined`, `_left`, `_connection_aborted` of a SIP participant. */
      readonly attributes: Attributes | undefined;
    }
  /** About a participant that cannot be told: it belongs to nobody, since it could be another tenant's caller. */
  | { readonly kind: "unreadable" };

export type Attributes = Readonly<Record<string, string>>;

/** Visible ASCII, as a header value needs it: the id is sent on as `webhook-id`. LiveKit's own are 15 characters. */
const HEADER_SAFE = /^[\x21-\x7e]{1,128}$/;
const MAX_NAME_LENGTH = 1024;

/** Reads a webhook's parsed body. `body` is the same as raw bytes: its digest stands in for a missing or unusable id. */
export function readLiveKitEvent(json: JsonObject, body: Uint8Array): LiveKitEvent {
  const name = text(json.event) ?? "";
  const room = object(json.room);
  const egress = object(json.egressInfo);
  const ingress = object(json.ingressInfo);
  const job = object(json.job);
  const jobRoom = object(job?.room);
  const sid = text(room?.sid) ?? text(egress?.roomId) ?? text(object(ingress?.state)?.roomId) ?? text(jobRoom?.sid);
  return {
    id: typeof json.id === "string" && HEADER_SAFE.test(json.id) ? eventId(json.id) : idOfBody(body),
    name,
    createdAt: seconds(json.createdAt),
    roomName: text(room?.name) ?? text(egress?.roomName) ?? text(ingress?.roomName) ?? text(jobRoom?.name),
    roomSid: sid === undefined ? undefined : roomSid(sid),
    subject: readSubject(name, json.participant ?? job?.participant),
  };
}

function readSubject(name: string, value: unknown): Subject {
  const wholeParticipant = name.startsWith("participant_");
  if (value === undefined || value === null) {
    return wholeParticipant || name.startsWith("track_") ? { kind: "unreadable" } : { kind: "room" };
  }
  const participant = object(value);
  const sid = text(participant?.sid);
  if (participant === undefined || sid === undefined) return { kind: "unreadable" };
  // protojson leaves out defaults: without a kind it is STANDARD, but only where the whole participant is sent.
  const sip = participant.kind === undefined && !wholeParticipant ? undefined : participant.kind === "SIP";
  const identity = text(participant.identity);
  return {
    kind: "participant",
    sid: participantSid(sid),
    identity,
    sip,
    attributes: readAttributes(participant.attributes),
  };
}

function readAttributes(value: unknown): Attributes | undefined {
  const entries = Object.entries(object(value) ?? {}).filter((entry): entry is [string, string] => {
    return typeof entry[1] === "string";
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function idOfBody(body: Uint8Array): EventId {
  return eventId(`body_${createHash("sha256").update(body).digest("base64url")}`);
}

function object(value: unknown): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= MAX_NAME_LENGTH ? value : undefined;
}

/** protojson writes 64-bit integers as strings. */
function seconds(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : undefined;
}
