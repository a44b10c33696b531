import type { Outcome, PendingDelivery } from "../../../src/contracts/storage";
import type { DeliveryPolicy } from "../../../src/domain/delivery-policy";
import { nextSparedStep, nextStep, nextUncountedStep } from "../../../src/domain/retry-policy";
import type { Attempted } from "./attempt-delivery";

/**
 * Whether an attempt uses up the schedule. Not `in_outage`: it was a probe, or ended while the breaker was open or opened it;
 * nor `since_start`: it had failed before the start, and nothing is known of its hook since.
 */
export type Counting = "counts" | "in_outage" | "since_start";

export type OutcomeOptions = {
  readonly policy: Pick<DeliveryPolicy, "schedule">;
  readonly counting: Counting;
  /** From 0 to 1, for the jitter. */
  readonly random: number;
  /** The queue's time. */
  readonly now: number;
};

/** What comes after an attempt. */
export function decideOutcome(
  delivery: PendingDelivery,
  { verdict, retryAfter }: Pick<Attempted, "verdict" | "retryAfter">,
  { policy, counting, random, now }: OutcomeOptions,
): Outcome {
  const next = STEPS[counting](policy, verdict, delivery, retryAfter, random);
  if (next.kind !== "retry") return next;
  const counts = counting === "counts";
  return { kind: "retry", dueAt: now + next.delay, wait: next.delay, counts, refusal: next.refusal };
}

const STEPS: Readonly<Record<Counting, typeof nextStep>> = {
  counts: nextStep,
  in_outage: nextUncountedStep,
  since_start: nextSparedStep,
};
