import type { Clock } from "../../../src/contracts/clock";
import type { Logger } from "../../../src/contracts/logger";
import type { EventId } from "../../../src/domain/ids";

/** It threw or rejected; it had not answered at the deadline; it answered with something that is no answer. */
export type MatcherFailure = "threw" | "late" | "no_answer";

export type MatcherFailures = ReturnType<typeof createMatcherFailures>;

const SAY_EVERY_MS = 60_000;
const MESSAGES: Readonly<Record<MatcherFailure, string>> = {
  threw: "A matcher failed: the participant's events are held, and its next event with attributes is asked about again",
  late: "A matcher had not answered at sip.matcher_deadline: the participant's events are held, and its next event with attributes is asked about again",
  no_answer:
    "A matcher answered with something that is no answer: the participant's events are held, and its next event with attributes is asked about again",
};

/** Counts how matchers failed, and says so: of one kind a line per matcher and minute, in which `more` says how many it stands for. */
export function createMatcherFailures({ clock, log }: { readonly clock: Clock; readonly log: Logger }) {
  const counts = new Map<string, Record<MatcherFailure, number>>();
  const said = new Map<string, { at: number; more: number }>();

  function note(matcher: string, failure: MatcherFailure, event: EventId, error: unknown): void {
    const ofMatcher = counts.get(matcher) ?? { threw: 0, late: 0, no_answer: 0 };
    ofMatcher[failure]++;
    counts.set(matcher, ofMatcher);
    const now = clock.monotonic();
    const kind = `${failure} ${matcher}`;
    const last = said.get(kind);
    if (last !== undefined && now - last.at < SAY_EVERY_MS) {
      last.more++;
      return;
    }
    said.set(kind, { at: now, more: 0 });
    const cause = error === undefined ? {} : { err: error };
    log.error({ ...cause, matcher, event, more: last?.more ?? 0 }, MESSAGES[failure]);
  }

  return {
    note,
    /** Since the start, by the matcher's name; matchers that never failed are not in it. */
    get counts(): ReadonlyMap<string, Readonly<Record<MatcherFailure, number>>> {
      return counts;
    },
  };
}
