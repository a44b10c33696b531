import type { Logger } from "../../../src/contracts/logger";
import type { MatchAnswer, Matcher, MatchView } from "../../../src/contracts/matcher";
import type { HookTable } from "../../../src/domain/hook-table";
import type { LiveKitEvent } from "../../../src/domain/livekit-event";
import type { Match } from "../../../src/domain/routing";
import { calledHost } from "./called-host";

export type MatchOptions = {
  readonly matchers: readonly Matcher[];
  readonly hostHeaders: readonly string[];
  /** Whether rooms are made owned by the hook's tenant (routing rule 11). */
  readonly setRoomOwner: boolean;
  readonly log: Logger;
  /** Told what each matcher that was asked said; undefined when it failed. */
  readonly onAnswer?: (matcher: string, answer: MatchAnswer | undefined) => void;
};

/**
 * Asks the matchers about an event's SIP participant. Undefined when there is nothing to ask: only a participant of kind
 * SIP with attributes speaks for a host (routing rule 2).
 */
export async function matchParticipant(
  event: LiveKitEvent,
  hooks: HookTable,
  { matchers, hostHeaders, setRoomOwner, log, onAnswer }: MatchOptions,
): Promise<Match | undefined> {
  const { subject } = event;
  if (subject.kind !== "participant" || subject.sip !== true || subject.attributes === undefined) return undefined;
  const { sid, attributes } = subject;
  const host = calledHost(attributes, hostHeaders);
  const view: MatchView = { event, participant: { sid, attributes }, host, hooks };
  for (const matcher of matchers) {
    const answer = await ask(matcher, view, log);
    onAnswer?.(matcher.name, answer);
    if (answer === undefined) return undefined;
    if (answer.kind === "not-mine") continue;
    if (answer.kind === "none") break;
    const { id, authId } = answer.hook;
    const owner = setRoomOwner && authId !== undefined ? { owner: authId } : {};
    return { kind: "hook", hook: id, matcher: matcher.name, host, ...owner };
  }
  return { kind: "none", host };
}

async function ask(matcher: Matcher, view: MatchView, log: Logger): Promise<MatchAnswer | undefined> {
  try {
    return await matcher.match(view);
  } catch (error) {
    // Fails closed because a later matcher could name another tenant: the participant stays undecided, its events are
    // held, and the next one that carries attributes is asked about again.
    log.error({ err: error, matcher: matcher.name, event: view.event.id }, "A matcher failed");
    return undefined;
  }
}
