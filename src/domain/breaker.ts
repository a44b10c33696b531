import type { Verdict } from "./retry-policy";
import { addAttempt, countRecent, type RecentAttempts } from "./recent-attempts";

/**
 * The breaker of one hook (delivery rule 3): whether its endpoint works, as its attempts say. A plain value; each function
 * returns the next one. Times are monotonic milliseconds; should they go back all the same, nothing waits any longer for it.
 */
export type Breaker = ClosedBreaker | OpenBreaker;

export type ClosedBreaker = {
  readonly kind: "closed";
  /** The endpoint failures since the last success. */
  readonly row: FailureRow | undefined;
  readonly recent: RecentAttempts;
  /** Attempts at a time while it recovers: one more with each success; Infinity once it has. */
  readonly slots: number;
};

export type OpenBreaker = {
  readonly kind: "open";
  readonly reason: string;
  /** When it opened. */
  readonly since: number;
  /** When the wait for the next probe began, and how long it is. */
  readonly waitingSince: number;
  readonly wait: number;
  /** Probes that failed so far. */
  readonly failed: number;
  /** The lane whose probe is under way. */
  readonly probing: number | undefined;
  /** Lanes that were probed last, newest at the end: the next probe comes from another one. */
  readonly probed: readonly number[];
};

type FailureRow = {
  readonly count: number;
  readonly since: number;
  readonly lane: number;
  readonly severalLanes: boolean;
};

export type AttemptEnd = {
  readonly lane: number;
  readonly verdict: Verdict;
  /** When it ended. */
  readonly at: number;
  /** What the answer asked for, in ms: a probe waits for it, within the longest wait. */
  readonly retryAfter: number | undefined;
};

/** What may go out now. `until`: nothing, before that time; without it nothing before the probe under way has ended. */
export type Permit =
  | { readonly kind: "send"; readonly slots: number }
  | { readonly kind: "probe"; readonly avoid: readonly number[] }
  | { readonly kind: "wait"; readonly until: number | undefined };

const ROW_LENGTH = 5;
const ROW_SPAN_MS = 10_000;
const MIN_RECENT_ATTEMPTS = 10;
const FAILED_SHARE = 0.5;
const PROBE_WAITS_MS = [1_000, 2_000, 5_000, 10_000, 20_000, 30_000];
const LONGEST_PROBE_WAIT_MS = 30_000;
/** After so many attempts at a time every hook has recovered: none may have more. */
const FULLY_RECOVERED_SLOTS = 200;
/** The lanes behind these are probed in the order of their due times, which a probe moves to the end. */
const LANES_TO_AVOID = 16;

export const newBreaker: ClosedBreaker = { kind: "closed", row: undefined, recent: [], slots: Infinity };

export function permitOf(breaker: Breaker, now: number): Permit {
  if (breaker.kind === "closed") return { kind: "send", slots: breaker.slots };
  if (breaker.probing !== undefined) return { kind: "wait", until: undefined };
  const passed = now - breaker.waitingSince;
  // A time before the wait began comes from a clock that was set back.
  if (passed >= breaker.wait || passed < 0) return { kind: "probe", avoid: breaker.probed };
  return { kind: "wait", until: breaker.waitingSince + breaker.wait };
}

/** Why and since when an endpoint is taken not to work, for people. Milliseconds since the epoch. */
export type Outage = {
  readonly reason: string;
  readonly since: number;
  /** When the next probe may go out, if there is something to send; undefined while one is under way. */
  readonly nextProbe: number | undefined;
};

/** @param offset what is to be added to a monotonic time to have the time of day. */
export function outageOf({ reason, since, probing, waitingSince, wait }: OpenBreaker, offset: number): Outage {
  const nextProbe = probing === undefined ? waitingSince + wait + offset : undefined;
  return { reason, since: since + offset, nextProbe };
}

/** A probe goes out from this lane. */
export function startProbe(breaker: OpenBreaker, lane: number): OpenBreaker {
  const probed = [...breaker.probed.filter((other) => other !== lane), lane].slice(-LANES_TO_AVOID);
  return { ...breaker, probing: lane, probed };
}

/** The probe did not become an attempt, or nobody knows what came of it: another one may go out at once. */
export function abandonProbe(breaker: OpenBreaker): OpenBreaker {
  return { ...breaker, probing: undefined };
}

/** The breaker after an attempt. */
export function afterAttempt(breaker: Breaker, end: AttemptEnd): Breaker {
  return breaker.kind === "closed" ? afterSending(breaker, end) : afterWaiting(breaker, end);
}

/** True when nothing is known of the hook that is worth remembering. */
export function isQuiet(breaker: Breaker, now: number): boolean {
  return breaker.kind === "closed" && breaker.row === undefined && countRecent(breaker.recent, now).attempts === 0;
}

function afterSending(breaker: ClosedBreaker, { lane, verdict, at, retryAfter }: AttemptEnd): Breaker {
  // An event that is refused says nothing about the endpoint, and 410 pauses the hook.
  if (verdict === "event" || verdict === "gone") return breaker;
  const failed = verdict === "endpoint";
  const recent = addAttempt(breaker.recent, failed, at);
  if (!failed) {
    const slots = breaker.slots + 1;
    return { kind: "closed", row: undefined, recent, slots: slots >= FULLY_RECOVERED_SLOTS ? Infinity : slots };
  }
  const row = lengthen(breaker.row, lane, at);
  const reason = reasonToOpen(row, recent, at);
  // While it recovers a failure begins the recovery again.
  const slots = breaker.slots === Infinity ? Infinity : 1;
  if (reason === undefined) return { kind: "closed", row, recent, slots };
  const wait = probeWait(0, retryAfter);
  return { kind: "open", reason, since: at, waitingSince: at, wait, failed: 0, probing: undefined, probed: [lane] };
}

function afterWaiting(breaker: OpenBreaker, { lane, verdict, at, retryAfter }: AttemptEnd): Breaker {
  // Attempts from before it opened decide nothing.
  if (breaker.probing !== lane) return breaker;
  // Whatever else it says, an endpoint that answers about the event works.
  if (verdict !== "endpoint") return { ...newBreaker, slots: 1 };
  const failed = breaker.failed + 1;
  return { ...breaker, probing: undefined, failed, waitingSince: at, wait: probeWait(failed, retryAfter) };
}

function lengthen(row: FailureRow | undefined, lane: number, at: number): FailureRow {
  if (row === undefined) return { count: 1, since: at, lane, severalLanes: false };
  const since = Math.min(row.since, at);
  return { ...row, since, count: row.count + 1, severalLanes: row.severalLanes || row.lane !== lane };
}

function reasonToOpen(row: FailureRow, recent: RecentAttempts, at: number): string | undefined {
  // One event that is always refused must not stop its hook: another lane or some time must agree.
  if (row.count >= ROW_LENGTH && (row.severalLanes || at - row.since >= ROW_SPAN_MS)) {
    return `${row.count} attempts in a row failed`;
  }
  const { attempts, failures } = countRecent(recent, at);
  if (attempts < MIN_RECENT_ATTEMPTS || failures < attempts * FAILED_SHARE) return undefined;
  return `${failures} of the last ${attempts} attempts failed`;
}

/** A Retry-After of minutes is not waited for: when the endpoint is back, nobody wants to wait for a politeness. */
function probeWait(failed: number, retryAfter: number | undefined): number {
  const wait = PROBE_WAITS_MS[failed] ?? LONGEST_PROBE_WAIT_MS;
  return Math.min(Math.max(wait, retryAfter ?? 0), LONGEST_PROBE_WAIT_MS);
}
