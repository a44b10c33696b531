import type { HookReplacement, PresentHooks } from "../../src/contracts/storage";
import { AppError } from "../../src/domain/errors";
import type { StoredHook } from "../../src/domain/hook";
import type { HookTable } from "../../src/domain/hook-table";
import type { HostPattern } from "../../src/domain/host-pattern";
import { mayHaveHost, maySee, type Principal } from "../../src/domain/principal";

/**
 * Replaces the hooks of the entries' hosts, and adds the rest.
 *
 * @param table with the hooks of the configuration.
 * @throws AppError `forbidden` for a host that a tenant may not touch, whether it has a hook or not; `config_host`.
 */
export function putHooks(
  present: PresentHooks,
  entries: readonly StoredHook[],
  table: HookTable,
  caller: Principal,
): HookReplacement[] {
  for (const { host } of entries) {
    const owner = ownerOf(host, present, table);
    if (!mayHaveHost(caller, host) || (owner !== undefined && !maySee(caller, owner.authId))) {
      throw new AppError("forbidden");
    }
  }
  refuseConfigHosts([...present.keys()], table);
  return entries.map((entry) => ({ host: entry.host, after: entry }));
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
