import type { Outcome, PendingDelivery } from "../../../src/contracts/storage";
import type { DeliveryPolicy } from "../../../src/domain/delivery-policy";
import { nextStep, nextUncountedStep } from "../../../src/domain/retry-policy";
import type { Attempted } from "./attempt-delivery";

export type OutcomeOptions = {
  readonly policy: Pick<DeliveryPolicy, "schedule">;
  /** False when the attempt was a probe, or ended while the breaker was open. */
  readonly counts: boolean;
  /** From 0 to 1, for the jitter. */
  readonly random: number;
  /** The queue's time. */
  readonly now: number;
};

/** What comes after an attempt. */
export function decideOutcome(
  delivery: PendingDelivery,
  { verdict, retryAfter }: Pick<Attempted, "verdict" | "retryAfter">,
  { policy, counts, random, now }: OutcomeOptions,
): Outcome {
  const decide = counts ? nextStep : nextUncountedStep;
  const next = decide(policy, verdict, delivery, retryAfter, random);
  if (next.kind !== "retry") return next;
  return { kind: "retry", dueAt: now + next.delay, wait: next.delay, counts, refusal: next.refusal };
}
