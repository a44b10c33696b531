import { AppError } from "../../src/domain/errors";
import type { StoredHook } from "../../src/domain/hook";
import { hookUrlFault } from "../../src/domain/hook-url";
import { parseHostPattern, type HostPattern } from "../../src/domain/host-pattern";
import type { Principal } from "../../src/domain/principal";
import type { HookEntry } from "./hook-schemas";

export type EntryRules = {
  readonly authRequired: boolean;
  readonly allowedSecretRefs: readonly string[];
};

/**
 * The hooks that a request asks for, checked one by one and against each other.
 *
 * @throws AppError `invalid_host`, `insecure_url`, `invalid_url`, `duplicate_host`, `auth_id_required`,
 *   `secret_not_allowed`, or `forbidden` when a tenant names another auth_id.
 */
export function readEntries(entries: readonly HookEntry[], caller: Principal, rules: EntryRules): StoredHook[] {
  const hosts = readHosts(entries.map((entry) => entry.host));
  return entries.map((entry, i) => {
    const host = hosts[i];
    if (host === undefined) throw new AppError("invalid_host", { message: entry.host });
    const authId = readAuthId(entry, caller, rules);
    if (entry.secret !== undefined && !rules.allowedSecretRefs.includes(entry.secret)) {
      throw new AppError("secret_not_allowed", { fields: { host: entry.host } });
    }
    return {
      host,
      url: readHookUrl(entry),
      ...(authId === undefined ? {} : { authId }),
      ...(entry.secret === undefined ? {} : { secretRef: entry.secret }),
    };
  });
}

/** @throws AppError `invalid_host` or `duplicate_host` */
export function readHosts(texts: readonly string[]): HostPattern[] {
  const seen = new Set<HostPattern>();
  for (const text of texts) {
    const host = parseHostPattern(text);
    if (host === undefined) throw new AppError("invalid_host", { message: text, fields: { host: text } });
    if (seen.has(host)) throw new AppError("duplicate_host", { message: text, fields: { host: text } });
    seen.add(host);
  }
  return [...seen];
}

function readHookUrl({ host, url }: HookEntry): string {
  const fault = hookUrlFault(url);
  if (fault === undefined) return url;
  // The URL itself is not repeated in the message: people put tokens into URLs.
  throw new AppError(fault === "insecure" ? "insecure_url" : "invalid_url", { fields: { host } });
}

function readAuthId(entry: HookEntry, caller: Principal, rules: EntryRules): string | undefined {
  if (caller.role === "tenant") {
    if (entry.auth_id !== undefined && entry.auth_id !== caller.id) throw new AppError("forbidden");
    return caller.id;
  }
  if (entry.auth_id === undefined && rules.authRequired) {
    throw new AppError("auth_id_required", { fields: { host: entry.host } });
  }
  return entry.auth_id;
}
