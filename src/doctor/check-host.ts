import type { ExplainAnswer } from "../../plugins/explain/explain-schemas";
import { nearest } from "../domain/nearest";
import type { AskedCall } from "./asked-call";
import { ok, problem, warning, type Finding } from "./finding";

export type MatchedCall = {
  readonly outcome: ExplainAnswer["outcome"];
  /** The host of the hook that the call belongs to, as the table has it. */
  readonly hook: string | undefined;
  /** All hosts of the table. */
  readonly hosts: readonly string[];
};

/** What became of calls to the host, as far as the service tells. */
export type PastCalls = {
  readonly calls: number;
  /** Deliveries that ended without arriving, or events that went to no hook; of the last ones. */
  readonly dead: number;
  readonly unmatched: number;
};

/** Whether a call with this header finds a hook. */
export function judgeMatch(call: AskedCall, { outcome, hook, hosts }: MatchedCall): Finding {
  if (call.host === undefined) {
    return problem("host", "host_unreadable", {
      what: `No host can be read from ${call.text}.`,
      why: "A call with such a header finds no hook by its host; what can be read in two ways is never guessed.",
      mend: "Let the carrier, or a proxy in front, send sip:number@host; or read the host from another header (sip.host_headers).",
    });
  }
  if (hook !== undefined) return ok("host", "host_matched", `Calls to ${call.host} belong to the hook of ${hook}.`);
  if (outcome === "undecided") {
    return warning("host", "host_undecided", {
      what: `Which hook calls to ${call.host} belong to is for a plugin's matcher to say, which gave no answer.`,
      why: "Until it answers, a call's events are held.",
      mend: `See what each matcher of the running service answers: sayna-sip explain ${call.host}`,
    });
  }
  return problem("host", "host_without_hook", {
    what: `No hook matches calls to ${call.host}.${hint(call.host, hosts)}`,
    why: "Their events are kept as unmatched, and go nowhere.",
    mend: `Add a hook for it: sayna-sip hooks add ${call.host} URL. Then send what came meanwhile: sayna-sip replay --unmatched`,
  });
}

function hint(host: string, hosts: readonly string[]): string {
  if (hosts.includes(`*.${host}`)) return ` There is one of *.${host}, which is for names below it only.`;
  const meant = nearest(host, hosts);
  return meant === undefined ? "" : ` There is one of ${meant}.`;
}

/** What became of the calls so far. */
export function judgePast(
  host: string,
  hook: string | undefined,
  { calls, dead, unmatched }: PastCalls,
): readonly Finding[] {
  const findings: Finding[] = [];
  if (unmatched > 0 && hook !== undefined) {
    findings.push(
      warning("host", "host_unmatched_before", {
        what: `${many(unmatched, "event")} of calls to ${host} went to no hook, before there was one.`,
        why: "They are kept for a while, and then removed.",
        mend: "Send them: sayna-sip replay --unmatched",
      }),
    );
  }
  if (hook === undefined) return findings;
  if (dead > 0) {
    findings.push(
      warning("host", "host_dead_deliveries", {
        what: `${many(dead, "delivery", "deliveries")} to the hook of ${hook} ended without arriving.`,
        why: "Its tenant does not know of these events.",
        mend: `sayna-sip deliveries list --failed --hook '${hook}'; send them again: sayna-sip replay --hook '${hook}'`,
      }),
    );
  }
  findings.push(
    calls === 0
      ? warning("host", "host_no_calls", {
          what: `No call to the hook of ${hook} is remembered.`,
          why: "Either nobody called, or the calls do not reach LiveKit, or LiveKit's webhooks do not come here.",
          mend: "Find out with: sayna-sip doctor --live; and whether the carrier's INVITE reaches livekit-sip, in its log.",
        })
      : ok(
          "host",
          "host_has_calls",
          `${many(calls, "call")} to the hook of ${hook} ${calls === 1 ? "is" : "are"} remembered: sayna-sip calls list --hook '${hook}'`,
        ),
  );
  return findings;
}

/** The lists are asked for this many at most. */
export const LOOKED_AT = 50;

const many = (count: number, one: string, several = `${one}s`): string =>
  `${count >= LOOKED_AT ? `${LOOKED_AT} or more` : count} ${count === 1 ? one : several}`;
