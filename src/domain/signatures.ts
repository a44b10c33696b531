import { createHmac } from "node:crypto";

const PREFIX = "whsec_";

/** True for `whsec_` and the standard base64, padding included, of 24 to 64 bytes (Standard Webhooks, symmetric keys). */
export const isStandardWebhooksSecret = (secret: string): boolean => standardWebhooksKey(secret) !== undefined;

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

function standardWebhooksKey(secret: string): Buffer | undefined {
  if (!secret.startsWith(PREFIX)) return undefined;
  const base64 = secret.slice(PREFIX.length);
  const key = Buffer.from(base64, "base64");
  // Buffer skips what is not base64; only what it gives back unchanged was.
  if (key.toString("base64") !== base64) return undefined;
  return key.length >= 24 && key.length <= 64 ? key : undefined;
}
