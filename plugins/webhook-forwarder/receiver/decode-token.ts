/** The three parts of a compact JWS. `signed` is what the signature covers, as it was sent. */
export type TokenParts = {
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
  readonly signed: string;
};

export function splitToken(token: string): TokenParts | undefined {
  const [header, payload, signature, ...rest] = token.split(".");
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) return undefined;
  return { header, payload, signature, signed: `${header}.${payload}` };
}

/**
 * Base64url as `jose` reads it, which is more than RFC 7515 allows: the standard alphabet, padding, white space and odd
 * trailing bits are all taken. It changes no verdict that matters, because the signature covers the text, not the bytes.
 */
export function decodeBase64(text: string): Buffer | undefined {
  try {
    return Buffer.from(atob(text.replaceAll("-", "+").replaceAll("_", "/").replace(/\s/g, "")), "latin1");
  } catch {
    // Fails closed: what is no base64 is no token.
    return undefined;
  }
}

// Not Buffer's own decoding, which keeps a byte order mark that jose drops.
const utf8 = new TextDecoder();

/** A part that holds a JSON object. */
export function decodeObject(part: string): Readonly<Record<string, unknown>> | undefined {
  const bytes = decodeBase64(part);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes));
    return isObject(value) ? value : undefined;
  } catch {
    // Fails closed: what is no JSON is no token.
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
