import type { Current } from "../../../src/contracts/current";
import type { Logger } from "../../../src/contracts/logger";
import { newMeasures, statusClass, type Measures } from "../../../src/contracts/measures";
import type { PendingDelivery, Settlement } from "../../../src/contracts/storage";
import { afterAttempt, startProbe } from "../../../src/domain/breaker";
import { maxAgeOf, type DeliveryPolicy } from "../../../src/domain/delivery-policy";
import type { Hook } from "../../../src/domain/hook";
import type { HookId } from "../../../src/domain/ids";
import { take } from "../../../src/domain/token-bucket";
import type { HookRegistry } from "../../hooks-store/hook-registry";
import { attemptDelivery, type AttemptOptions } from "./attempt-delivery";
import { decideOutcome } from "./decide-outcome";
import type { HookState } from "./hook-state";
import type { QueueTime } from "./queue-time";
import type { HookSecrets } from "./read-signers";
import { reportBreaker, reportDelivery } from "./report-delivery";

export type RunnerOptions = Omit<AttemptOptions, "policy" | keyof HookSecrets> & {
  readonly hookSecrets: Current<HookSecrets>;
  readonly registry: HookRegistry;
  readonly log: Logger;
  readonly measures?: Measures;
  readonly time: QueueTime;
  /** From 0 to 1, for the jitter of retries. */
  readonly random: () => number;
  /** False once nothing more is sent. */
  readonly goesOn: () => boolean;
};

export type Run = {
  readonly delivery: PendingDelivery;
  readonly hook: Hook;
  /** Is changed by what comes of it. */
  readonly state: HookState;
  readonly policy: DeliveryPolicy;
  /** True when the open breaker lets it out. */
  readonly probe: boolean;
};

export type Ended = {
  readonly settlement: Settlement;
  /** It has closed the hook's breaker: what waits may go out. */
  readonly worksAgain: boolean;
};

/**
 * Makes the function that takes one delivery to its hook: an attempt, unless it is too old, and what follows from it for
 * the delivery and for the hook.
 */
export function createRunner(options: RunnerOptions) {
  const { registry, clock, log, time, random, goesOn, measures = newMeasures() } = options;
  const startedAt = clock.now();
  /** Hooks that took something since the start. */
  const working = new Set<HookId>();

  /**
   * True for a delivery that had failed before this start, while its hook has taken nothing since: breakers are forgotten
   * at a restart, and restarts during one outage must not use up the attempts that the breaker spared.
   */
  const failedBeforeStart = ({ failures, receivedAt, hook }: PendingDelivery): boolean =>
    failures > 0 && receivedAt < startedAt && !working.has(hook);

  /** Undefined when the attempt was cut off by our own stop: it does not count, and goes out again after the start. */
  return async function runDelivery({ delivery, hook, state, policy, probe }: Run): Promise<Ended | undefined> {
    const age = time.ageOf(delivery.receivedAt);
    if (age > maxAgeOf(policy, delivery.eventName)) {
      measures.outcomes.expired++;
      const expired = { delivery, at: clock.now(), attempt: undefined, outcome: { kind: "expired" } } as const;
      reportDelivery(log, delivery, hook, expired, false);
      return { settlement: expired, worksAgain: false };
    }
    if (probe && state.breaker.kind === "open") state.breaker = startProbe(state.breaker, delivery.lane);
    if (state.bucket !== undefined) state.bucket = take(state.bucket, 1);
    state.sending.set(delivery.lane, clock.monotonic());
    if (delivery.attempts === 0) measures.queueing.add(age / 1000);
    const attempted = await attemptDelivery(delivery, hook, { ...options, ...options.hookSecrets(), policy });
    state.sending.delete(delivery.lane);
    const { verdict, at, attempt, retryAfter } = attempted;
    if (!goesOn() && verdict !== "success") return undefined;

    measures.attempts[verdict].add(attempt.durationMs / 1000);
    measures.statuses[statusClass(attempt.status)]++;
    const now = clock.monotonic();
    const before = state.breaker;
    const after = afterAttempt(before, { lane: delivery.lane, verdict, at: now, retryAfter });
    state.breaker = after;
    if (verdict === "endpoint") state.failedAt = now;
    // The attempt that opens the breaker is the outage's, not the delivery's.
    const inOutage = before.kind === "open" || after.kind === "open" || probe;
    const counting = inOutage ? "in_outage" : failedBeforeStart(delivery) ? "since_start" : "counts";
    if (verdict === "success") working.add(hook.id);
    const outcome = decideOutcome(delivery, attempted, { policy, counting, random: random(), now: time.now() });
    measures.outcomes[outcome.kind]++;
    if (outcome.kind === "delivered") measures.delivery.add(time.ageOf(delivery.receivedAt) / 1000);
    if (before.kind === "closed" && after.kind === "open") measures.breakersOpened++;
    const settlement = { delivery, at, attempt, outcome };
    reportDelivery(log, delivery, hook, settlement, counting !== "counts");
    reportBreaker(log, hook, settlement, before, after, now);
    // What a url said that has been replaced meanwhile says nothing of the new one.
    if (verdict === "gone" && registry.table.byId(hook.id)?.url === hook.url) await pause(hook);
    return { settlement, worksAgain: before.kind === "open" && after.kind === "closed" };
  };

  async function pause(hook: Hook): Promise<void> {
    log.warn({ hook: hook.id, host: hook.host }, "The hook answered 410 and is paused until it is resumed or replaced");
    await registry.pause(hook.id, "it answered 410").catch((error: unknown) => {
      // Fails closed for this run, in which the hook stays paused; after a restart it is asked once more.
      log.error({ err: error, hook: hook.id }, "That the hook is paused could not be saved");
    });
  }
}
