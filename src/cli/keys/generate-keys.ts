import { randomBytes } from "node:crypto";
import { newHookSecret, newSigningKey } from "../../domain/new-keys";

export type KeyKind = "hook-secret" | "signing-key" | "api-secret";

/** What was asked for; a signing key comes with the public key that receivers verify with. */
export type Keys = {
  readonly hook_secret?: string;
  readonly signing_key?: string;
  readonly public_key?: string;
  readonly api_secret?: string;
};

const API_SECRET_BYTES = 32;

export function generateKeys(kinds: readonly KeyKind[]): Keys {
  const signing = kinds.includes("signing-key") ? newSigningKey(randomBytes) : undefined;
  return {
    ...(kinds.includes("hook-secret") ? { hook_secret: newHookSecret(randomBytes) } : {}),
    ...(signing === undefined ? {} : { signing_key: signing.key, public_key: signing.publicKey }),
    ...(kinds.includes("api-secret") ? { api_secret: randomBytes(API_SECRET_BYTES).toString("base64url") } : {}),
  };
}

/** YAML, to be put into the configuration file as it is. */
export function showKeys({
  hook_secret: hook,
  signing_key: signing,
  public_key: shown,
  api_secret: api,
}: Keys): string[] {
  const lines: string[] = [];
  if (hook !== undefined || signing !== undefined) lines.push("sip:");
  if (hook !== undefined) {
    lines.push("  # Or SIP_HOOK_SECRET. Receivers verify with the same.", `  hook_secret: ${hook}`);
  }
  if (signing !== undefined) {
    lines.push(`  # Or SIP_SIGNING_KEY. Receivers verify with ${shown}`, `  signing_key: ${signing}`);
  }
  if (api !== undefined) {
    lines.push("auth:", "  # Or AUTH_API_SECRET, with AUTH_API_SECRET_ID.", "  api_secrets:");
    lines.push(`    - {id: ops, secret: ${api}}`);
  }
  return lines;
}
