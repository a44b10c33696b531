import type { Current } from "../../src/contracts/current";
import { SecretUnavailable, type ReadSecret } from "../../src/contracts/read-secret";
import type { EndingSecret, SecretSource } from "../../src/domain/secret";
import { parseSigningKey, type SigningKey } from "../../src/domain/signatures";

/** Where the keys are. */
export type KeySources = {
  /** `sip.signing_key`. */
  readonly key: SecretSource | undefined;
  /** `sip.previous_signing_key`. */
  readonly previous?: EndingSecret | undefined;
};

export type SigningKeysOptions = {
  readonly sources: Current<KeySources>;
  readonly readSecret: ReadSecret;
};

/** `until` (ms since the epoch) is there for a key that is being replaced. */
export type ListedKey = { readonly key: SigningKey; readonly until?: number };

/** The keys in force at this time, the newest first; none when none is configured. */
export type SigningKeys = (now: number) => Promise<readonly ListedKey[]>;

/**
 * Reads the asymmetric keys by their references, at each use, so that a changed file counts.
 *
 * @returns a function that throws SecretUnavailable when one of them cannot be read or is no `whsk_…`.
 */
export function createSigningKeys({ sources, readSecret }: SigningKeysOptions): SigningKeys {
  /** The last two: taking a key apart costs more than signing with it. */
  let parsed = new Map<string, SigningKey>();

  async function read(source: SecretSource): Promise<SigningKey> {
    const text = await readSecret(source);
    const known = parsed.get(text) ?? parseSigningKey(text);
    if (known === undefined) throw new SecretUnavailable(source, "is no ed25519 key (whsk_…)");
    parsed = new Map([[text, known], ...[...parsed].filter(([other]) => other !== text).slice(0, 1)]);
    return known;
  }

  return async (now) => {
    const { key, previous } = sources();
    if (key === undefined) return [];
    const current = { key: await read(key) };
    if (previous === undefined || now >= previous.until) return [current];
    return [current, { key: await read(previous.secret), until: previous.until }];
  };
}
