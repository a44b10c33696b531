import { createHash, createHmac } from "node:crypto";

export const API_KEY = "devkey";
export const API_SECRET = "0123456789abcdef0123456789abcdef";

export type HmacHash = "sha256" | "sha384" | "sha512";

export function base64url(content: string | Uint8Array): string {
  return Buffer.from(content).toString("base64url");
}

export function sha256(body: string | Uint8Array): string {
  return createHash("sha256").update(body).digest("base64");
}

/** Signs `header.payload` as it stands, encoded or not. */
export function sign(signed: string, secret = API_SECRET, algorithm: HmacHash = "sha256"): string {
  return createHmac(algorithm, secret).update(signed).digest("base64url");
}

/** A token as LiveKit makes it, with claims of the test's choice over its own. */
export function signToken(
  claims: Readonly<Record<string, unknown>>,
  { header = { alg: "HS256", typ: "JWT" }, secret = API_SECRET }: { header?: unknown; secret?: string } = {},
): string {
  const signed = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
  return `${signed}.${sign(signed, secret)}`;
}

/** The claims that LiveKit sets for a body signed at `seconds`. */
export function livekitClaims(body: string | Uint8Array, seconds: number) {
  return { iss: API_KEY, exp: seconds + 300, nbf: seconds, iat: seconds, sha256: sha256(body) };
}
