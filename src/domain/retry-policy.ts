import type { DeliveryPolicy } from "./delivery-policy";

/**
 * What an attempt says (delivery rules 1 and 2).
 *
 * - `event`: the hook refuses this event: 400, 413, 415, 422;
 * - `gone`: 410, the hook asks for nothing more;
 * - `endpoint`: everything else that is not 2xx, a wrong path or token and redirects included, and no answer at all.
 */
export type Verdict = "success" | "event" | "gone" | "endpoint";

const EVENT_REFUSALS = new Set([400, 413, 415, 422]);
const MAX_EVENT_REFUSALS = 3;
const MIN_RETRY_AFTER_MS = 1_000;
const MAX_RETRY_AFTER_MS = 60 * 60 * 1_000;
const JITTER = 0.2;
/** As long as a breaker's probes wait. */
const LONGEST_SPARED_WAIT_MS = 30_000;

/** @param status the HTTP status, or undefined when there was no whole answer. */
export function judgeAttempt(status: number | undefined): Verdict {
  if (status === undefined) return "endpoint";
  if (status >= 200 && status <= 299) return "success";
  if (status === 410) return "gone";
  return EVENT_REFUSALS.has(status) ? "event" : "endpoint";
}

export type NextStep =
  | { readonly kind: "delivered" }
  | { readonly kind: "retry"; readonly delay: number; readonly refusal: boolean }
  | { readonly kind: "dead"; readonly reason: string };

export type FailedSoFar = {
  /** Failed attempts before this one that count, and how many of them were refusals of the event. */
  readonly failures: number;
  readonly refusals: number;
};

/**
 * What comes after an attempt.
 *
 * @param retryAfter what the hook asked for, in ms; honoured between 1 s and 1 h, and then without jitter.
 * @param random a number from 0 to 1, for the jitter of ±20 %.
 */
export function nextStep(
  policy: Pick<DeliveryPolicy, "schedule">,
  verdict: Verdict,
  before: FailedSoFar,
  retryAfter: number | undefined,
  random: number,
): NextStep {
  if (verdict === "success") return { kind: "delivered" };
  // It waits until the hook is resumed, and then goes out at once.
  if (verdict === "gone") return { kind: "retry", delay: 0, refusal: false };
  const refusal = verdict === "event";
  if (refusal && before.refusals + 1 >= MAX_EVENT_REFUSALS) {
    return { kind: "dead", reason: `the hook refused this event ${MAX_EVENT_REFUSALS} times` };
  }
  const scheduled = policy.schedule[before.failures];
  if (scheduled === undefined) return { kind: "dead", reason: `${before.failures + 1} attempts failed` };
  return { kind: "retry", delay: delayOf(scheduled, retryAfter, random), refusal };
}

/**
 * What comes after an attempt that does not count, because a breaker made it or was open when it ended: it is never the
 * last one that the schedule allows, and as the breaker says when the next one goes out, it is due at once. Refusals of
 * the event count all the same.
 */
export function nextUncountedStep(
  ...[policy, verdict, before, retryAfter, random]: Parameters<typeof nextStep>
): NextStep {
  const failures = Math.min(before.failures, policy.schedule.length - 1);
  const step = nextStep(policy, verdict, { ...before, failures }, retryAfter, random);
  return step.kind === "retry" && verdict === "endpoint" && retryAfter === undefined ? { ...step, delay: 0 } : step;
}

/**
 * What comes after an attempt that does not count because nothing is known of the endpoint since the start, and it had
 * failed before: it waits as after a first failure, and never longer than a probe would. Without that wait a start during an
 * outage would send the same event again and again in one moment, until the breaker opens.
 */
export function nextSparedStep(
  ...[policy, verdict, before, retryAfter, random]: Parameters<typeof nextStep>
): NextStep {
  const step = nextStep(policy, verdict, { ...before, failures: 0 }, retryAfter, random);
  if (step.kind !== "retry" || retryAfter !== undefined) return step;
  return { ...step, delay: Math.min(step.delay, LONGEST_SPARED_WAIT_MS) };
}

function delayOf(scheduled: number, retryAfter: number | undefined, random: number): number {
  if (retryAfter !== undefined) return Math.min(Math.max(retryAfter, MIN_RETRY_AFTER_MS), MAX_RETRY_AFTER_MS);
  return Math.round(scheduled * (1 - JITTER + 2 * JITTER * random));
}

/**
 * A Retry-After header in milliseconds from `now`: seconds or an HTTP date (RFC 9110 section 10.2.3). Undefined when it
 * is neither, and when the date has passed.
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // Date.parse takes far more than an HTTP date: only what looks like one is given to it.
  if (!/^[A-Z][a-z]{2,8},? .*GMT$/.test(text)) return undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) || date < now ? undefined : date - now;
}
