import type { Logger } from "../../../src/contracts/logger";
import { SecretUnavailable } from "../../../src/contracts/read-secret";
import { secretParts } from "../../../src/domain/credentials";
import type { Hook } from "../../../src/domain/hook";
import { secretReference, type SecretSource } from "../../../src/domain/secret";
import type { SecretGrants } from "../../hooks-store/secret-grants";

type HookWithSecrets = Pick<Hook, "source" | "host" | "authId" | "secret" | "previousSecret" | "credentials">;

/** The references of a hook that count now (ms since the epoch) and that the operator does not list any more. */
export type FindRevoked = (hook: HookWithSecrets, now: number) => readonly SecretSource[];

const HOSTS_SHOWN = 20;

/**
 * Makes the check of what was stored when the operator still listed it. It is not known whether an operator or its tenant
 * added a hook, so that either list counts: a reference that is in neither is nobody's any more.
 */
export function revokedBy({ ofOperators, ofTenants }: SecretGrants): FindRevoked {
  const operators = new Set(ofOperators);
  const tenants = new Map([...ofTenants].map(([authId, references]) => [authId, new Set(references)]));
  const isListed = (reference: string, authId: string | undefined): boolean =>
    operators.has(reference) || (authId !== undefined && tenants.get(authId)?.has(reference) === true);
  return (hook, now) => {
    // What the configuration's hooks name the operator wrote there.
    if (hook.source === "config") return [];
    return secretsOf(hook, now).filter((source) => !isListed(secretReference(source) ?? "", hook.authId));
  };
}

/**
 * @throws SecretUnavailable when the hook names a secret that it may not have any more. Fails closed because whoever may not
 *   have a secret must not get it, in clear or as a signature; the deliveries wait, and go out once it is listed again.
 */
export function refuseRevoked(hook: HookWithSecrets, findRevoked: FindRevoked, now: number): void {
  const [revoked] = findRevoked(hook, now);
  if (revoked !== undefined) throw new SecretUnavailable(revoked, "is not allowed to this hook any more");
}

/** One warning at the start for each such reference, with the hooks that name it. */
export function warnOfRevoked(
  hooks: readonly HookWithSecrets[],
  findRevoked: FindRevoked,
  log: Logger,
  now: number,
): void {
  const named = hooks.flatMap((hook) => findRevoked(hook, now).map((source) => ({ source, host: hook.host })));
  for (const [secret, entries] of Map.groupBy(named, ({ source }) => secretReference(source) ?? "")) {
    const hosts = [...new Set(entries.map(({ host }) => host))];
    log.warn(
      { secret, hosts: hosts.slice(0, HOSTS_SHOWN), count: hosts.length },
      "SIP hooks name a secret that is not allowed to them any more: their deliveries wait. List it again in " +
        "sip.allowed_secret_refs or the tenant's secret_refs, or replace the hooks",
    );
  }
}

function secretsOf({ secret, previousSecret, credentials }: HookWithSecrets, now: number): readonly SecretSource[] {
  return [
    ...(secret === undefined ? [] : [secret]),
    ...(previousSecret === undefined || now >= previousSecret.until ? [] : [previousSecret.secret]),
    ...(credentials === undefined ? [] : secretParts(credentials)),
  ];
}
