import { AppError } from "../../src/domain/errors";
import type { Principal } from "../../src/domain/principal";

/**
 * Which references hooks added at run time may name. A bearer token or password goes out in clear to the hook's url, and
 * whoever has a secret sign his own events can pass them off as its owner's; so a reference belongs to somebody:
 *
 * - `ofTenants`: of a tenant's credential (`secret_refs`), by its auth_id. For hooks of this auth_id, whoever adds them.
 * - `ofOperators`: `sip.allowed_secret_refs`. For hooks that an operator adds, for whatever tenant. A tenant that replaces
 *   such a hook replaces all of it: its own url never comes together with the operator's reference.
 */
export type SecretGrants = {
  readonly ofOperators: readonly string[];
  readonly ofTenants: ReadonlyMap<string, readonly string[]>;
};

/** Makes the check of one hook's references; it throws AppError `secret_not_allowed`. */
export function referenceCheck(
  { ofOperators, ofTenants }: SecretGrants,
  caller: Principal,
  authId: string | undefined,
  host: string,
): (reference: string) => void {
  const ofTenant = authId === undefined ? [] : (ofTenants.get(authId) ?? []);
  const more = caller.role === "operator" ? ofOperators : [];
  return (reference) => {
    if (ofTenant.includes(reference) || more.includes(reference)) return;
    throw new AppError("secret_not_allowed", { fields: { host } });
  };
}
