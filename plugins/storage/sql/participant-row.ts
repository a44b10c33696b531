import type { ParticipantView } from "../../../src/contracts/history";
import { participantSid } from "../../../src/domain/ids";
import { hookName } from "./hook-name";

/** A row of `participants`, with what is known of its hook. */
export type ParticipantRow = {
  readonly sid: string;
  readonly hook: string | null;
  readonly hook_host: string | null;
  readonly auth_id: string | null;
  readonly sip: number;
  readonly identity: string | null;
  readonly host: string | null;
  readonly matcher: string | null;
  readonly call_id: string | null;
  readonly sip_call_id: string | null;
  readonly caller: string | null;
  readonly callee: string | null;
};

export function toParticipant(row: ParticipantRow): ParticipantView {
  return {
    sid: participantSid(row.sid),
    sip: row.sip === 1,
    identity: row.identity ?? undefined,
    host: row.host ?? undefined,
    hook: row.hook === null ? undefined : hookName(row.hook, row.hook_host, row.auth_id),
    matcher: row.matcher ?? undefined,
    callId: row.call_id ?? undefined,
    sipCallId: row.sip_call_id ?? undefined,
    caller: row.caller ?? undefined,
    callee: row.callee ?? undefined,
  };
}
