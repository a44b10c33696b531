/** What is shorter would be found in any text. */
const SHORTEST = 4;

/**
 * The start of an answer without the secrets that were sent: a receiver that shows the request's headers in its answers
 * would bring them into the storage. Found as they are and as JSON escapes them; a secret that the end cuts off is found by
 * its beginning.
 */
export function redact(bytes: Uint8Array, secrets: readonly string[]): Uint8Array {
  if (secrets.length === 0) return bytes;
  const before = Buffer.from(bytes).toString("latin1");
  const after = secrets.flatMap(spellings).reduce(without, before);
  return after === before ? bytes : Buffer.from(after, "latin1");
}

function spellings(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  // PHP's json_encode escapes a slash.
  const all = new Set([secret, json, json.replaceAll("/", String.raw`\/`)]);
  // The longest first, since a shorter one may be within it.
  return [...all].map((text) => Buffer.from(text, "utf8").toString("latin1")).toSorted((a, b) => b.length - a.length);
}

function without(text: string, secret: string): string {
  if (secret.length < SHORTEST) return text;
  const replaced = text.replaceAll(secret, "[secret]");
  for (let length = Math.min(secret.length - 1, replaced.length); length >= SHORTEST; length--) {
    if (replaced.endsWith(secret.slice(0, length))) return `${replaced.slice(0, -length)}[secret]`;
  }
  return replaced;
}
