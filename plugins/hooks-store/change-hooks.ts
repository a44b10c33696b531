import { AppError } from "../../src/domain/errors";
import type { StoredHook } from "../../src/domain/hook";
import type { HookTable } from "../../src/domain/hook-table";
import type { HostPattern } from "../../src/domain/host-pattern";
import { mayHaveHost, maySee, type Principal } from "../../src/domain/principal";

/**
 * The hooks added at run time after `entries` have replaced those of the same host and been added to the rest.
 *
 * @param table the whole table, with the hooks of the configuration.
 * @throws AppError `forbidden` for a host that a tenant may not touch, whether it has a hook or not; `config_host`.
 */
export function putHooks(
  current: readonly StoredHook[],
  entries: readonly StoredHook[],
  table: HookTable,
  caller: Principal,
): StoredHook[] {
  const changed = new Map(current.map((hook) => [hook.host, hook]));
  for (const { host } of entries) {
    const owner = table.byPattern(host) ?? changed.get(host);
    if (!mayHaveHost(caller, host) || (owner !== undefined && !maySee(caller, owner.authId))) {
      throw new AppError("forbidden");
    }
  }
  refuseConfigHosts(
    entries.map(({ host }) => host),
    table,
  );
  for (const entry of entries) changed.set(entry.host, entry);
  return [...changed.values()];
}

/**
 * The hooks added at run time without those of these hosts.
 *
 * @throws AppError `forbidden` when a tenant has no hook for one of them, whoever else has; `config_host`;
 *   `hook_not_found` to an operator.
 */
export function removeHooks(
  current: readonly StoredHook[],
  hosts: readonly HostPattern[],
  table: HookTable,
  caller: Principal,
): StoredHook[] {
  const remaining = new Map(current.map((hook) => [hook.host, hook]));
  const owned = (host: HostPattern) => {
    const hook = table.byPattern(host) ?? remaining.get(host);
    return hook !== undefined && maySee(caller, hook.authId);
  };
  if (caller.role === "tenant" && !hosts.every(owned)) throw new AppError("forbidden");
  refuseConfigHosts(hosts, table);
  const unknown = hosts.filter((host) => !remaining.has(host));
  if (unknown.length > 0)
    throw new AppError("hook_not_found", { message: unknown.join(", "), fields: { hosts: unknown } });
  for (const host of hosts) remaining.delete(host);
  return [...remaining.values()];
}

function refuseConfigHosts(hosts: readonly HostPattern[], table: HookTable): void {
  const fixed = hosts.filter((host) => table.byPattern(host)?.source === "config");
  if (fixed.length === 0) return;
  // RFC 9110 section 15.5.6: a 405 names what is allowed.
  throw new AppError("config_host", { message: fixed.join(", "), fields: { hosts: fixed }, headers: { allow: "GET" } });
}
