import { inSlices } from "../../src/contracts/in-slices";
import type { HookReplacement, PresentHooks } from "../../src/contracts/storage";
import type { DeliveryPolicy } from "../../src/domain/delivery-policy";
import { AppError } from "../../src/domain/errors";
import { ownPolicyOf, type StoredHook } from "../../src/domain/hook";
import type { HookTable } from "../../src/domain/hook-table";
import type { HostPattern } from "../../src/domain/host-pattern";
import { mayHaveHost, maySee, type Principal } from "../../src/domain/principal";
import { checkPolicy } from "./read-policy";

/** Hooks that are checked in a row: below 2 ms (measured). */
const CHECKED_AT_A_TIME = 500;

export type Putting = {
  readonly present: PresentHooks;
  /** The whole one, with the hooks of the configuration. */
  readonly table: HookTable;
  readonly caller: Principal;
  /** The delivery policy for all. */
  readonly policy: DeliveryPolicy;
};

/**
 * Replaces the hooks of the entries' hosts, and adds the rest. What an operator set of the delivery policy of a tenant's hook
 * stays when the tenant replaces it: by leaving it out nobody gets rid of a limit.
 *
 * @throws AppError `forbidden` for a host that a tenant may not touch, whether it has a hook or not; `config_host`;
 *   `invalid_delivery`; `delivery_not_allowed`.
 */
export async function putHooks(entries: readonly StoredHook[], putting: Putting): Promise<HookReplacement[]> {
  const { present, table, caller, policy } = putting;
  await inSlices(entries, CHECKED_AT_A_TIME, (slice) => {
    for (const { host } of slice) {
      const owner = ownerOf(host, present, table);
      if (!mayHaveHost(caller, host) || (owner !== undefined && !maySee(caller, owner.authId))) {
        throw new AppError("forbidden");
      }
    }
  });
  refuseConfigHosts([...present.keys()], table);
  const replacements: HookReplacement[] = [];
  await inSlices(entries, CHECKED_AT_A_TIME, (slice) => {
    for (const entry of slice) {
      const kept = caller.role === "tenant" ? present.get(entry.host)?.operatorPolicy : undefined;
      const after = kept === undefined ? entry : { ...entry, operatorPolicy: kept };
      if (ownPolicyOf(entry) !== undefined) checkPolicy(after, caller, policy);
      replacements.push({ host: entry.host, after });
    }
  });
  return replacements;
}

/**
 * Removes the hooks of the hosts in `present`.
 *
 * @param table with the hooks of the configuration.
 * @throws AppError `forbidden` when a tenant has no hook for one of them, whoever else has; `config_host`;
 *   `hook_not_found` to an operator.
 */
export function removeHooks(present: PresentHooks, table: HookTable, caller: Principal): HookReplacement[] {
  const hosts = [...present.keys()];
  const owned = (host: HostPattern) => {
    const owner = ownerOf(host, present, table);
    return owner !== undefined && maySee(caller, owner.authId);
  };
  if (caller.role === "tenant" && !hosts.every(owned)) throw new AppError("forbidden");
  refuseConfigHosts(hosts, table);
  const unknown = hosts.filter((host) => present.get(host) === undefined);
  if (unknown.length > 0) {
    throw new AppError("hook_not_found", { message: unknown.join(", "), fields: { hosts: unknown } });
  }
  return hosts.map((host) => ({ host }));
}

/** Whose hook counts for this host: one of the configuration goes before one that was added at run time. */
function ownerOf(host: HostPattern, present: PresentHooks, table: HookTable) {
  const fixed = table.byPattern(host);
  return fixed?.source === "config" ? fixed : present.get(host);
}

function refuseConfigHosts(hosts: readonly HostPattern[], table: HookTable): void {
  const fixed = hosts.filter((host) => table.byPattern(host)?.source === "config");
  if (fixed.length === 0) return;
  // RFC 9110 section 15.5.6: a 405 names what is allowed.
  throw new AppError("config_host", { message: fixed.join(", "), fields: { hosts: fixed }, headers: { allow: "GET" } });
}
