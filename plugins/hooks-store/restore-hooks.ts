import { inSlices } from "../../src/contracts/in-slices";
import type { HookReplacement, HostDifference } from "../../src/contracts/storage";
import { secretParts } from "../../src/domain/credentials";
import type { DeliveryPolicy } from "../../src/domain/delivery-policy";
import { AppError } from "../../src/domain/errors";
import { ownPolicyOf, type StoredHook } from "../../src/domain/hook";
import type { HookTable } from "../../src/domain/hook-table";
import { hookUrlFault } from "../../src/domain/hook-url";
import type { Principal } from "../../src/domain/principal";
import type { EntryRules } from "./read-entries";
import { checkPolicy } from "./read-policy";
import { referenceCheck } from "./secret-grants";

export type RestoreRules = EntryRules & {
  /** The delivery policy for all. */
  readonly policy: DeliveryPolicy;
};

/** Hooks that are checked in a row: below 2 ms (measured). */
const CHECKED_AT_A_TIME = 200;

/**
 * What is to be as it was. A host that the configuration has meanwhile stays as it is. What comes back is checked by the rules
 * of today, which may not be those of its own day.
 *
 * @param table with the hooks of the configuration.
 * @throws AppError `secret_not_allowed` with the host and the reference, `auth_id_required`, `insecure_url`, `invalid_url` or
 *   `invalid_delivery` with the host.
 */
export async function restoreHooks(
  differences: readonly HostDifference[],
  table: HookTable,
  caller: Principal,
  rules: RestoreRules,
): Promise<HookReplacement[]> {
  const restored: HookReplacement[] = [];
  await inSlices(differences, CHECKED_AT_A_TIME, (slice) => {
    for (const { host, after } of slice) {
      if (table.byPattern(host)?.source === "config") continue;
      if (after !== undefined) check(after, caller, rules);
      restored.push(after === undefined ? { host } : { host, after });
    }
  });
  return restored;
}

function check(hook: StoredHook, caller: Principal, { authRequired, secretGrants, policy }: RestoreRules): void {
  const { host, url, authId } = hook;
  const fields = { host };
  if (authId === undefined && authRequired) throw new AppError("auth_id_required", { message: host, fields });
  const fault = hookUrlFault(url);
  if (fault !== undefined) throw new AppError(fault === "insecure" ? "insecure_url" : "invalid_url", { fields });
  const checkReference = referenceCheck(secretGrants, caller, authId, host);
  for (const reference of referencesOf(hook)) {
    try {
      checkReference(reference);
    } catch (cause) {
      const message = `${reference} of ${host}`;
      throw new AppError("secret_not_allowed", { message, fields: { host, secret: reference }, cause });
    }
  }
  if (ownPolicyOf(hook) !== undefined) checkPolicy(hook, caller, policy);
}

function referencesOf({ secretRef, previousSecret, credentials }: StoredHook): readonly string[] {
  return [
    ...(secretRef === undefined ? [] : [secretRef]),
    ...(previousSecret === undefined ? [] : [previousSecret.ref]),
    ...(credentials === undefined ? [] : secretParts(credentials)),
  ];
}
