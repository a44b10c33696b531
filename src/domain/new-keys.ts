import { parseSigningKey } from "./signatures";

/** Gives so many unforeseeable bytes. */
export type RandomBytes = (count: number) => Uint8Array;

/** Standard Webhooks asks for 24 to 64. */
const SECRET_BYTES = 32;
const SEED_BYTES = 32;

/** A secret for Standard Webhooks' symmetric signatures: `whsec_…`. */
export const newHookSecret = (random: RandomBytes): string => `whsec_${base64(random(SECRET_BYTES))}`;

/** An ed25519 key for the asymmetric ones: `whsk_…`, of seed and public key, and the `whpk_…` for receivers. */
export function newSigningKey(random: RandomBytes): { readonly key: string; readonly publicKey: string } {
  const seed = random(SEED_BYTES);
  const publicKey = parseSigningKey(`whsk_${base64(seed)}`)?.publicKey;
  if (publicKey === undefined) throw new TypeError(`${SEED_BYTES} random bytes are needed, and ${seed.length} came`);
  const publicBytes = Buffer.from(publicKey.slice("whpk_".length), "base64");
  return { key: `whsk_${base64(Buffer.concat([seed, publicBytes]))}`, publicKey };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
