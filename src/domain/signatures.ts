import { createHmac, createPrivateKey, createPublicKey, sign } from "node:crypto";

const SECRET_PREFIX = "whsec_";
const PRIVATE_PREFIX = "whsk_";
const PUBLIC_PREFIX = "whpk_";

/** True for `whsec_` and the standard base64, padding included, of 24 to 64 bytes (Standard Webhooks, symmetric keys). */
export const isStandardWebhooksSecret = (secret: string): boolean => standardWebhooksKey(secret) !== undefined;

/** True for what was meant as a Standard Webhooks secret and is none: no receiver could verify what it signs. */
export const isBrokenSecret = (secret: string): boolean =>
  secret.startsWith(SECRET_PREFIX) && !isStandardWebhooksSecret(secret);

/**
 * Standard Webhooks' `webhook-signature`: `v1,<base64>`, HMAC-SHA256 over `id.timestamp.body`. The body's bytes are signed as
 * they are. `secret` is one that `isStandardWebhooksSecret` accepts.
 *
 * @throws TypeError for any other secret: a key decoded by guessing would sign what no receiver can verify.
 */
export function standardWebhooksSignature(
  secret: string,
  id: string,
  timestampSeconds: number,
  body: Uint8Array,
): string {
  const key = standardWebhooksKey(secret);
  if (key === undefined) throw new TypeError("The secret is not a Standard Webhooks secret (whsec_…)");
  return `v1,${createHmac("sha256", key).update(`${id}.${timestampSeconds}.`).update(body).digest("base64")}`;
}

/**
 * Sayna's `X-Sayna-Signature`: `v1=<hex>`, HMAC-SHA256 over `v1:{timestamp}:{event id}:{payload}`. The key is the whole
 * secret as it is written, a `whsec_` prefix included.
 */
export function saynaSignature(secret: string, id: string, timestampSeconds: number, body: Uint8Array): string {
  const hmac = createHmac("sha256", Buffer.from(secret, "utf8"));
  return `v1=${hmac.update(`v1:${timestampSeconds}:${id}:`).update(body).digest("hex")}`;
}

/** An ed25519 key of Standard Webhooks' asymmetric signatures. The private part cannot be got out of it. */
export type SigningKey = {
  /** `whpk_` and the base64 of the 32 bytes: what receivers verify with. */
  readonly publicKey: string;
  /** `webhook-signature`: `v1a,<base64>`, over the same bytes as the symmetric one. */
  readonly sign: (id: string, timestampSeconds: number, body: Uint8Array) => string;
};

/** What stands before the 32 bytes in a DER key (RFC 8410 section 7, RFC 5958; section 4). */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

/**
 * Reads `whsk_` and the standard base64 of the seed and the public key, 64 bytes, as Standard Webhooks writes a private
 * key; or of the seed alone, 32 bytes, which any source of random bytes makes.
 *
 * @returns undefined for anything else, a public key that is another seed's included: signing with such a pair gives the
 *   private key away, and no receiver could verify it.
 */
export function parseSigningKey(text: string): SigningKey | undefined {
  const bytes = text.startsWith(PRIVATE_PREFIX) ? strictBase64(text.slice(PRIVATE_PREFIX.length)) : undefined;
  if (bytes === undefined || (bytes.length !== 32 && bytes.length !== 64)) return undefined;
  const der = Buffer.concat([PKCS8, bytes.subarray(0, 32)]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const publicBytes = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(SPKI.length);
  if (bytes.length === 64 && !publicBytes.equals(bytes.subarray(32))) return undefined;
  return {
    publicKey: PUBLIC_PREFIX + publicBytes.toString("base64"),
    sign(id, timestampSeconds, body) {
      const signed = Buffer.concat([Buffer.from(`${id}.${timestampSeconds}.`), body]);
      return `v1a,${sign(null, signed, key).toString("base64")}`;
    },
  };
}

function standardWebhooksKey(secret: string): Buffer | undefined {
  const key = secret.startsWith(SECRET_PREFIX) ? strictBase64(secret.slice(SECRET_PREFIX.length)) : undefined;
  return key !== undefined && key.length >= 24 && key.length <= 64 ? key : undefined;
}

function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  // Buffer skips what is not base64; only what it gives back unchanged was.
  return bytes.toString("base64") === text ? bytes : undefined;
}
