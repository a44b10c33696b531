import { fitsPattern } from "./delivery-policy";

/** The events that LiveKit sends (server 1.13). It adds new ones: an event with another name is as good as any. */
export const KNOWN_EVENTS: readonly string[] = [
  "room_started",
  "room_finished",
  "participant_joined",
  "participant_left",
  "participant_connection_aborted",
  "track_published",
  "track_unpublished",
  "egress_started",
  "egress_updated",
  "egress_ended",
  "ingress_started",
  "ingress_ended",
  "agent_job_started",
  "agent_job_ended",
];

/** A pattern of event names: letters, digits, `_`, and `*` for any characters. */
export const EVENT_PATTERN = /^[A-Za-z0-9_*]{1,64}$/;

/** False for what is probably misspelt. */
export function fitsKnownEvent(pattern: string): boolean {
  return KNOWN_EVENTS.some((name) => fitsPattern(pattern, name));
}
