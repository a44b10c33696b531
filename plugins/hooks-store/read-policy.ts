import { policyExcess, policyFaults, type PolicyFault } from "../../src/domain/check-policy";
import { effectivePolicy, type DeliveryPolicy, type OwnPolicy } from "../../src/domain/delivery-policy";
import { fromSettings } from "../../src/domain/delivery-settings";
import { parseDuration } from "../../src/domain/duration";
import { AppError, type ErrorCode } from "../../src/domain/errors";
import { ownPolicyOf, type StoredHook } from "../../src/domain/hook";
import type { Principal } from "../../src/domain/principal";
import type { DeliveryEntry } from "./policy-schemas";

/**
 * A hook's own policy as a request asks for it.
 *
 * @throws AppError `invalid_delivery` for a duration that is none.
 */
export function readPolicy(written: DeliveryEntry, host: string): OwnPolicy {
  const { schedule, max_age: maxAge, deadline, expiry, ...rest } = written;
  const ms = (text: string): number => readDuration(text, host);
  return fromSettings({
    ...rest,
    ...(schedule === undefined ? {} : { schedule: schedule.map(ms) }),
    ...(maxAge === undefined ? {} : { max_age: ms(maxAge) }),
    ...(deadline === undefined ? {} : { deadline: ms(deadline) }),
    ...(expiry === undefined ? {} : { expiry: expiry.map(({ events, after }) => ({ events, after: ms(after) })) }),
  });
}

/**
 * Checks the policy that a hook is to have.
 *
 * @throws AppError `invalid_delivery` when its settings do not fit each other or those for all; `delivery_not_allowed` when
 *   the tenant asks for more than the operator set for this hook, or else for all.
 */
export function checkPolicy(hook: StoredHook, caller: Principal, forAll: DeliveryPolicy): void {
  const { host, policy, operatorPolicy } = hook;
  if (caller.role === "tenant" && policy !== undefined) {
    refuse("delivery_not_allowed", policyExcess(policy, effectivePolicy(forAll, operatorPolicy)), host);
  }
  const own = ownPolicyOf(hook);
  // As in the configuration: the expiry for all may be longer than the hook's own max_age, which then counts.
  refuse("invalid_delivery", policyFaults({ ...effectivePolicy(forAll, own), expiry: own?.expiry ?? [] }), host);
}

function readDuration(text: string, host: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new AppError("invalid_delivery", { message: text, fields: { host } });
  return ms;
}

function refuse(code: ErrorCode, faults: Iterable<PolicyFault>, host: string): void {
  const [first] = faults;
  if (first === undefined) return;
  throw new AppError(code, { message: first.message("delivery"), fields: { host, setting: first.at.join(".") } });
}
