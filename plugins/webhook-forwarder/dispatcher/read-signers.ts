import { SecretUnavailable, type ReadSecret } from "../../../src/contracts/read-secret";
import type { Hook } from "../../../src/domain/hook";
import type { EndingSecret, SecretSource } from "../../../src/domain/secret";
import { isBrokenSecret, type SigningKey } from "../../../src/domain/signatures";

/** What signs the deliveries of hooks without something of their own. */
export type HookSecrets = {
  /** The global `hook_secret`. */
  readonly hookSecret: SecretSource | undefined;
  readonly previousHookSecret?: EndingSecret | undefined;
};

/** The same, and the keys that sign all of them. */
export type SigningOptions = HookSecrets & {
  /** The asymmetric keys that sign at this time (ms since the epoch), the newest first. */
  readonly signingKeys?: (now: number) => Promise<readonly SigningKey[]>;
};

/** What signs one attempt, each list with the newest first. */
export type Signers = { readonly secrets: readonly string[]; readonly keys: readonly SigningKey[] };

/**
 * A hook's own secrets come before the global ones: `secret` in the place of `hook_secret`, and `previous_secret` in the
 * place of its predecessor. So a hook may move from the global secret to one of its own, or back, by naming the old one.
 *
 * @param now ms since the epoch; a previous secret counts until its end.
 * @throws SecretUnavailable
 */
export async function readSigners(
  hook: Pick<Hook, "secret" | "previousSecret">,
  { hookSecret, previousHookSecret, signingKeys }: SigningOptions,
  readSecret: ReadSecret,
  now: number,
): Promise<Signers> {
  const previous = hook.previousSecret ?? (hook.secret === undefined ? previousHookSecret : undefined);
  const sources = [
    hook.secret ?? hookSecret,
    ...(previous !== undefined && now < previous.until ? [previous.secret] : []),
  ];
  const secrets: string[] = [];
  for (const source of sources) {
    if (source !== undefined) secrets.push(await readSigningSecret(source, readSecret));
  }
  return { secrets, keys: (await signingKeys?.(now)) ?? [] };
}

async function readSigningSecret(source: SecretSource, readSecret: ReadSecret): Promise<string> {
  const secret = await readSecret(source);
  // Fails closed as a literal does at start: receivers that were told to expect Standard Webhooks would get none.
  if (isBrokenSecret(secret)) {
    throw new SecretUnavailable(source, "begins with whsec_, but what follows is not base64 of 24 to 64 bytes");
  }
  return secret;
}
