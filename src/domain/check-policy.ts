import type { DeliveryPolicy, OwnPolicy } from "./delivery-policy";
import { formatDuration } from "./duration";

/** The settings of a policy as people write them. */
export type SettingName = "schedule" | "max_age" | "deadline" | "expiry" | "concurrency" | "rate";

/** Settings that do not fit each other. `at`: the one to blame, of a list the entry. */
export type PolicyFault = {
  readonly at: readonly [SettingName, ...(string | number)[]];
  /** All that it depends on. */
  readonly settings: readonly SettingName[];
  /** @param block the policy's name: `sip.delivery` */
  readonly message: (block: string) => string;
  readonly hint: string;
};

/** An attempt that holds one of the hook's places for longer than this is no webhook. */
const LONGEST_DEADLINE_MS = 5 * 60 * 1000;

/** What the settings of a policy must be to each other. */
export function* policyFaults(policy: DeliveryPolicy): Generator<PolicyFault> {
  const { schedule, maxAge, deadline, expiry } = policy;
  const longest = Math.min(LONGEST_DEADLINE_MS, maxAge);
  if (deadline > longest) {
    yield {
      at: ["deadline"],
      settings: ["deadline", "max_age"],
      message: (block) => `${block}.deadline (${formatDuration(deadline)}) is longer than ${formatDuration(longest)}`,
      hint: "Use at most 5m, and no more than max_age.",
    };
  }
  const waits = schedule.reduce((sum, wait) => sum + wait, 0);
  if (waits > maxAge) {
    yield {
      at: ["schedule"],
      settings: ["schedule", "max_age"],
      message: (block) =>
        `The waits of ${block}.schedule (${formatDuration(waits)}) exceed max_age (${formatDuration(maxAge)})`,
      hint: "Shorten the schedule, or raise max_age: later tries would never be made.",
    };
  }
  for (const [i, { after }] of expiry.entries()) {
    if (after <= maxAge) continue;
    yield {
      at: ["expiry", i, "after"],
      settings: ["expiry", "max_age"],
      message: (block) =>
        `${block}.expiry[${i}].after (${formatDuration(after)}) is longer than max_age (${formatDuration(maxAge)})`,
      hint: "Expiry shortens max_age for some events: give it less, or raise max_age.",
    };
  }
}

/**
 * What a tenant asks for beyond what the operator set, for all or for this hook: a tenant may only ask for less. Its attempts are no more
 * and no denser either, as a schedule of its own would make them.
 */
export function* policyExcess(own: OwnPolicy, bounds: DeliveryPolicy): Generator<PolicyFault> {
  const { concurrency, rate, maxAge, deadline, schedule } = own;
  if (concurrency !== undefined && concurrency > bounds.concurrency) {
    yield excess("concurrency", `at most ${bounds.concurrency}`);
  }
  if (rate !== undefined && bounds.rate !== undefined && rate > bounds.rate)
    yield excess("rate", `at most ${bounds.rate}`);
  if (maxAge !== undefined && maxAge > bounds.maxAge)
    yield excess("max_age", `at most ${formatDuration(bounds.maxAge)}`);
  if (deadline !== undefined && deadline > bounds.deadline) {
    yield excess("deadline", `at most ${formatDuration(bounds.deadline)}`);
  }
  if (schedule === undefined) return;
  const shortest = Math.min(...bounds.schedule);
  if (schedule.length > bounds.schedule.length) yield excess("schedule", `at most ${bounds.schedule.length} waits`);
  else if (Math.min(...schedule) < shortest) yield excess("schedule", `waits of ${formatDuration(shortest)} or longer`);
}

function excess(setting: SettingName, allowed: string): PolicyFault {
  const hint = "Ask for no more than the operator set for this hook, or for all (sip.delivery); or leave it out.";
  return { at: [setting], settings: [setting], message: (block) => `${block}.${setting}: ${allowed}`, hint };
}
