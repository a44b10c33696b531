import { hash } from "node:crypto";
import { hookIdFrom, type HookId } from "./ids";
import type { CredentialRefs, Credentials } from "./credentials";
import type { OwnPolicy } from "./delivery-policy";
import type { HostPattern } from "./host-pattern";
import type { EndingSecret, SecretSource } from "./secret";

/** An entry of the forwarding table. */
export type Hook = {
  readonly id: HookId;
  readonly host: HostPattern;
  /** Always `https:`. */
  readonly url: string;
  /** The tenant that owns the hook, and the rooms of calls to its host. */
  readonly authId?: string;
  /** Signing secret of its own; without one the global `hook_secret` signs. */
  readonly secret?: SecretSource;
  /** Signs as well, for a receiver that does not have the new secret yet. */
  readonly previousSecret?: EndingSecret;
  readonly credentials?: Credentials;
  /** What it has of its own of the delivery policy. */
  readonly policy?: OwnPolicy;
  /** What an operator set of that at run time: its tenant may only ask for less, and cannot leave it out. */
  readonly operatorPolicy?: OwnPolicy;
  readonly source: HookSource;
};

/** From the configuration (immutable at run time), or added by the API. */
export type HookSource = "config" | "runtime";

/** A hook added at run time as it is stored: its secrets are references (`env:…`, `file:…`) or absent, never values. */
export type StoredHook = {
  readonly host: HostPattern;
  readonly url: string;
  readonly authId?: string;
  readonly secretRef?: string;
  readonly previousSecret?: { readonly ref: string; readonly until: number };
  readonly credentials?: CredentialRefs;
  /** What its tenant asks for of the delivery policy. */
  readonly policy?: OwnPolicy;
  /** What an operator set of it. */
  readonly operatorPolicy?: OwnPolicy;
};

/** What a stored hook has of its own of the delivery policy. */
export function ownPolicyOf({
  policy,
  operatorPolicy,
}: Pick<StoredHook, "policy" | "operatorPolicy">): OwnPolicy | undefined {
  return policy === undefined && operatorPolicy === undefined ? undefined : { ...operatorPolicy, ...policy };
}

/**
 * The id of the hook of this host and tenant. It depends on nothing else, so that replacing the url keeps the hook, and
 * another auth_id makes a new one (routing rule 9), whether the entry is in the configuration or was added at run time.
 */
export function hookId(host: HostPattern, authId: string | undefined): HookId {
  const digest = hash("sha256", JSON.stringify([host, authId ?? null]), "base64url");
  return hookIdFrom(`hk_${digest.slice(0, 16)}`);
}
