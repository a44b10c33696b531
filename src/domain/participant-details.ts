import type { LiveKitEvent } from "./livekit-event";
import type { Match } from "./routing";

/** Who a participant is, for the history. */
export type ParticipantDetails = {
  readonly sip: boolean;
  readonly identity: string | undefined;
  readonly host: string | undefined;
  readonly matcher: string | undefined;
  /** LiveKit's id of the call (`SCL_…`), and the SIP Call-ID. */
  readonly callId: string | undefined;
  readonly sipCallId: string | undefined;
  readonly caller: string | undefined;
  readonly callee: string | undefined;
};

/** The event that decided a participant. */
export type Decider = { readonly event: Pick<LiveKitEvent, "subject">; readonly match: Match | undefined };

/** What is kept of a participant: from LiveKit's SIP attributes (`sip.*`). */
export function describeParticipant({ event, match }: Decider): ParticipantDetails {
  const subject = event.subject.kind === "participant" ? event.subject : undefined;
  const attribute = (name: string) => subject?.attributes?.[name];
  return {
    sip: subject?.sip === true,
    identity: subject?.identity,
    host: match?.host,
    matcher: match?.kind === "hook" ? match.matcher : undefined,
    callId: attribute("sip.callID"),
    sipCallId: attribute("sip.callIDFull"),
    caller: attribute("sip.phoneNumber"),
    callee: attribute("sip.trunkPhoneNumber"),
  };
}
