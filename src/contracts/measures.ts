import { Distribution } from "../domain/distribution";

/** What an attempt got, by its first digit. */
export type StatusClass = "2xx" | "3xx" | "4xx" | "5xx" | "none";

/** Why a webhook's token is not accepted. */
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

const REFUSAL_REASONS = [
  "missing",
  "malformed",
  "algorithm",
  "claims",
  "signature",
  "body-hash",
  "unknown-key",
  "expired",
  "not-yet-valid",
] as const;

/**
 * What is measured on the way of every event, since the start, in plain numbers: who measures writes here, and whoever asks
 * reads. Times in seconds. Nothing is kept by hook, host, tenant or room, so that it takes the same memory whatever comes.
 */
export type Measures = ReturnType<typeof newMeasures>;

/** An acknowledgement is one sync of the disk; LiveKit waits for it before it sends the room's next event. */
const FAST = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** A delivery may wait for its lane, its hook's outage, at most for a day. */
const LONG = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200, 86_400];
/** To the deadline of an attempt, and what may be configured beyond it. */
const ATTEMPT = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** `createdAt` has whole seconds; LiveKit drops what has waited for 30 s. */
const LATENESS = [1, 1.5, 2, 3, 5, 10, 15, 20, 25, 30, 60];
const SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

export function newMeasures() {
  return {
    /** From a webhook's arrival to its answer, of those that were kept or known. */
    acknowledgement: new Distribution(FAST),
    /** One transaction that keeps events, and how many they are. */
    commit: new Distribution(FAST),
    commitEvents: new Distribution(SIZES),
    commitFailures: 0,
    /** From LiveKit's `createdAt` to the arrival. */
    lateness: new Distribution(LATENESS),
    /** Webhooks answered 401, by why. */
    refusals: new Map<RefusalReason, number>(REFUSAL_REASONS.map((reason) => [reason, 0])),
    /** Events listed as unmatched, and SIP participants whose host no hook matched. */
    unmatchedEvents: 0,
    unmatchedParticipants: 0,
    /** From an event's arrival to the beginning of its first attempt, and to its arrival at the hook. */
    queueing: new Distribution(LONG),
    delivery: new Distribution(LONG),
    /** How long attempts took, by what they say. */
    attempts: {
      success: new Distribution(ATTEMPT),
      event: new Distribution(ATTEMPT),
      endpoint: new Distribution(ATTEMPT),
      gone: new Distribution(ATTEMPT),
    },
    statuses: { "2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0, none: 0 } satisfies Record<StatusClass, number>,
    /** What became of deliveries. */
    outcomes: { delivered: 0, retry: 0, dead: 0, expired: 0 },
    breakersOpened: 0,
  };
}

/** @param status the HTTP status, or undefined when there was no whole answer. */
export function statusClass(status: number | undefined): StatusClass {
  if (status === undefined) return "none";
  if (status < 300) return "2xx";
  if (status < 400) return "3xx";
  return status < 500 ? "4xx" : "5xx";
}

export function countRefusal({ refusals }: Pick<Measures, "refusals">, reason: RefusalReason): void {
  refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
}
