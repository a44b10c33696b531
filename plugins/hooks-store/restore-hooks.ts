import { policyFaults } from "../../src/domain/check-policy";
import { secretParts } from "../../src/domain/credentials";
import { effectivePolicy } from "../../src/domain/delivery-policy";
import { AppError } from "../../src/domain/errors";
import type { StoredHook } from "../../src/domain/hook";
import type { HookTable } from "../../src/domain/hook-table";
import { hookUrlFault } from "../../src/domain/hook-url";
import type { Principal } from "../../src/domain/principal";
import type { TableVersion } from "./hook-versions";
import type { EntryRules } from "./read-entries";
import { referenceCheck } from "./secret-grants";

/**
 * The hooks added at run time as they were in `target`. A host that the configuration has meanwhile stays as it is. What
 * comes back is checked by the rules of today, which may not be those of its own day.
 *
 * @param table the whole table, with the hooks of the configuration.
 * @throws AppError `secret_not_allowed` with the host and the reference, `auth_id_required`, `insecure_url`, `invalid_url` or
 *   `invalid_delivery` with the host.
 */
export function restoreHooks(
  current: readonly StoredHook[],
  target: TableVersion,
  table: HookTable,
  caller: Principal,
  rules: EntryRules,
): StoredHook[] {
  const fixed = (hook: StoredHook) => table.byPattern(hook.host)?.source === "config";
  const present = new Map(current.map((hook) => [hook.host, hook]));
  const kept = current.flatMap((hook) => (fixed(hook) ? [hook] : (target.get(hook.host) ?? [])));
  const added = [...target.values()].filter((hook) => !present.has(hook.host) && !fixed(hook));
  const restored = [...kept, ...added];
  for (const hook of restored) {
    if (!Bun.deepEquals(present.get(hook.host), hook)) check(hook, caller, rules);
  }
  return restored;
}

function check(hook: StoredHook, caller: Principal, { authRequired, secretGrants, policy }: EntryRules): void {
  const { host, url, authId, policy: own } = hook;
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
  if (own === undefined) return;
  const [problem] = policyFaults({ ...effectivePolicy(policy, own), expiry: own.expiry ?? [] });
  if (problem === undefined) return;
  throw new AppError("invalid_delivery", {
    message: problem.message("delivery"),
    fields: { host, setting: problem.at.join(".") },
  });
}

function referencesOf({ secretRef, previousSecret, credentials }: StoredHook): readonly string[] {
  return [
    ...(secretRef === undefined ? [] : [secretRef]),
    ...(previousSecret === undefined ? [] : [previousSecret.ref]),
    ...(credentials === undefined ? [] : secretParts(credentials)),
  ];
}
