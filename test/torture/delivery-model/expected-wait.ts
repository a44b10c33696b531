import type { Verdict } from "./verdict";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
/** The default schedule. */
const SCHEDULE = [1, 5, 15, 60, 300].map((seconds) => seconds * SECOND);
const JITTER = 0.2;
const MOST_REFUSALS = 3;

/** How one delivery stands: its next attempt goes out between `from` and `to` (monotonic ms). */
export type Wait = {
  readonly hook: string;
  readonly roomSid: string;
  /** Time of day in ms. */
  readonly receivedAt: number;
  readonly madeAt: number;
  readonly from: number;
  readonly to: number;
  /** How long it was to wait at most when its last attempt ended, in ms. */
  readonly longest: number;
  /** Attempts, those that count against the schedule, and those that were refusals of the event. */
  readonly attempts: number;
  readonly failures: number;
  readonly refusals: number;
  readonly ended: "delivered" | "dead" | undefined;
};

export type AttemptEnd = {
  readonly verdict: Verdict;
  readonly at: number;
  /** What the answer asked for, in ms. */
  readonly retryAfter: number | undefined;
  readonly counting: Counting;
};

/**
 * `in_outage`: a probe, one that ended while the breaker was open, or that opened it. `since_start`: it had failed before the
 * start, and its hook has taken nothing since. Neither uses up the schedule.
 */
export type Counting = "counts" | "in_outage" | "since_start";

/** Delivery rules 1 and 2, written down a second time. */
export function afterAttempt(before: Wait, { verdict, at, retryAfter, counting }: AttemptEnd): Wait {
  const failures = before.failures + (counting === "counts" ? 1 : 0);
  const refusals = before.refusals + (verdict === "event" ? 1 : 0);
  const after = { ...before, attempts: before.attempts + 1, failures, refusals };
  const due = (from: number, to = from): Wait => ({ ...after, from: at + from, to: at + to, longest: to });
  if (verdict === "success") return { ...after, ended: "delivered" };
  if (verdict === "gone") return due(0);
  if (refusals >= MOST_REFUSALS) return { ...after, ended: "dead" };
  const scheduled = SCHEDULE[nth(counting, before.failures)];
  if (scheduled === undefined) return { ...after, ended: "dead" };
  if (retryAfter !== undefined) return due(Math.min(Math.max(retryAfter, SECOND), HOUR));
  // The breaker says when the next attempt goes out.
  if (counting === "in_outage" && verdict === "endpoint") return due(0);
  return due(scheduled * (1 - JITTER), scheduled * (1 + JITTER));
}

/** Which wait of the schedule comes next; what does not count is never the last. */
function nth(counting: Counting, failures: number): number {
  if (counting === "since_start") return 0;
  return counting === "counts" ? failures : Math.min(failures, SCHEDULE.length - 1);
}

/** It may go out from now on, and must when there is room. */
export const dueAt = (wait: Wait, at: number): Wait => ({
  ...wait,
  from: Math.min(wait.from, at),
  to: Math.min(wait.to, at),
});

/**
 * A process that starts after the clock was set back reads due times that lie ahead by that much; it lets nothing wait for
 * longer than it was to wait when it failed.
 */
export const startedLate = (wait: Wait, setBackBy: number, at: number): Wait => ({
  ...wait,
  from: Math.min(wait.from, at),
  to: Math.min(wait.to + setBackBy, at + wait.longest),
});
