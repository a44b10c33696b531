import type { MatchAnswer, Matcher } from "../../../src/contracts/matcher";
import type { Host } from "../../../src/domain/host";
import type { HookTable } from "../../../src/domain/hook-table";
import type { LiveKitEvent } from "../../../src/domain/livekit-event";
import type { Match } from "../../../src/domain/routing";
import type { Asking, Deadline } from "./asking";
import { EventView } from "./match-view";
import type { MatcherFailure } from "./matcher-failures";
import { readAnswer } from "./read-answer";

export type MatchOptions = {
  readonly matchers: readonly Matcher[];
  readonly hostHeaders: readonly string[];
  /** Whether rooms are made owned by the hook's tenant (routing rule 11). */
  readonly setRoomOwner: boolean;
  readonly asking: Asking;
  /** Told what each matcher that was asked said; undefined when it failed. */
  readonly onAnswer?: (matcher: string, answer: MatchAnswer | undefined) => void;
};

type Question = {
  readonly view: EventView;
  readonly host: Host | undefined;
  readonly options: MatchOptions;
  /** Runs from the first promise on. */
  readonly deadline?: Deadline;
};

/** The end of the asking, or the next matcher's turn. */
type Step = { readonly kind: "end"; readonly match: Match | undefined } | { readonly kind: "next" };

/**
 * Asks the matchers about an event's SIP participant. Undefined when there is nothing to ask (only a participant of kind SIP
 * with attributes speaks for a host, routing rule 2), or when a matcher failed. It never rejects.
 *
 * A promise only when a matcher answered with one: the acknowledgement of all other events waits for none.
 */
export function matchParticipant(
  event: LiveKitEvent,
  table: HookTable,
  options: MatchOptions,
): Match | undefined | Promise<Match | undefined> {
  const { subject } = event;
  if (subject.kind !== "participant" || subject.sip !== true || subject.attributes === undefined) return undefined;
  const { hostHeaders, asking } = options;
  const participant = { ...subject, attributes: subject.attributes };
  const view = new EventView({ event, participant, table, hostHeaders, remembered: asking.remembered });
  return askFrom(0, { view, host: view.called.host, options });
}

function askFrom(first: number, question: Question): Match | undefined | Promise<Match | undefined> {
  for (const [index, matcher] of question.options.matchers.entries()) {
    if (index < first) continue;
    let said: unknown;
    try {
      said = matcher.match(question.view);
      if (isPromise(said)) return finishLater(said, index, matcher, question);
    } catch (error) {
      fail(matcher, "threw", question, error);
      return undefined;
    }
    const step = conclude(said, matcher, question);
    if (step.kind === "end") return step.match;
  }
  return { kind: "none", host: question.host };
}

/** Waits for this matcher's answer, and asks those after it when it is for them to say. */
async function finishLater(
  said: PromiseLike<unknown>,
  index: number,
  matcher: Matcher,
  question: Question,
): Promise<Match | undefined> {
  const deadline = question.deadline ?? question.options.asking.startDeadline();
  try {
    const step = await inTime(said, matcher, deadline, question);
    return step.kind === "end" ? step.match : await askFrom(index + 1, { ...question, deadline });
  } finally {
    if (question.deadline === undefined) deadline.cancel();
  }
}

async function inTime(
  said: PromiseLike<unknown>,
  matcher: Matcher,
  deadline: Deadline,
  question: Question,
): Promise<Step> {
  try {
    const answered = await deadline.inTime(said);
    if (answered !== undefined) return conclude(answered.value, matcher, question);
  } catch (error) {
    return fail(matcher, "threw", question, error);
  }
  question.view.giveUp(new Error("sip.matcher_deadline has passed"));
  return fail(matcher, "late", question);
}

function conclude(said: unknown, matcher: Matcher, question: Question): Step {
  const { view, host, options } = question;
  const answer = readAnswer(said, view.hooks);
  if (answer === undefined) return fail(matcher, "no_answer", question);
  options.onAnswer?.(matcher.name, answer);
  if (answer.kind === "not-mine") return { kind: "next" };
  if (answer.kind === "none") return { kind: "end", match: { kind: "none", host } };
  const { id, authId } = answer.hook;
  const owner = options.setRoomOwner && authId !== undefined ? { owner: authId } : {};
  return { kind: "end", match: { kind: "hook", hook: id, matcher: matcher.name, host, ...owner } };
}

/**
 * Fails closed because a later matcher could name another tenant: the participant stays undecided, its events are held, and
 * the next one that carries attributes is asked about again.
 */
function fail({ name }: Matcher, failure: MatcherFailure, { view, options }: Question, error?: unknown): Step {
  options.asking.failures.note(name, failure, view.event.id, error);
  options.onAnswer?.(name, undefined);
  return { kind: "end", match: undefined };
}

const isPromise = (said: unknown): said is PromiseLike<unknown> =>
  typeof said === "object" && said !== null && "then" in said && typeof said.then === "function";
