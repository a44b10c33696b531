import type { CredentialRefs } from "../../../src/domain/credentials";
import type { OwnPolicy } from "../../../src/domain/delivery-policy";
import type { StoredHook } from "../../../src/domain/hook";
import type { HostPattern } from "../../../src/domain/host-pattern";

/** What is written of a hook; its position is the table's own. */
export const HOOK_COLUMNS = "host, url, auth_id, secret_ref, previous_secret, credentials, policy, operator_policy";

/** A row of `hooks`. */
export type HookRow = {
  /** Postgres has a `bigint` as a string. */
  readonly position: number | string;
  readonly host: string;
  readonly url: string;
  readonly auth_id: string | null;
  readonly secret_ref: string | null;
  readonly previous_secret: string | null;
  readonly credentials: string | null;
  readonly policy: string | null;
  readonly operator_policy: string | null;
};

export function toStoredHook(row: HookRow): StoredHook {
  return {
    // Written by this program, so it is a pattern.
    host: row.host as HostPattern,
    url: row.url,
    ...(row.auth_id === null ? {} : { authId: row.auth_id }),
    ...(row.secret_ref === null ? {} : { secretRef: row.secret_ref }),
    ...(row.previous_secret === null
      ? {}
      : { previousSecret: JSON.parse(row.previous_secret) as NonNullable<StoredHook["previousSecret"]> }),
    ...(row.credentials === null ? {} : { credentials: JSON.parse(row.credentials) as CredentialRefs }),
    ...(row.policy === null ? {} : { policy: JSON.parse(row.policy) as OwnPolicy }),
    ...(row.operator_policy === null ? {} : { operatorPolicy: JSON.parse(row.operator_policy) as OwnPolicy }),
  };
}
