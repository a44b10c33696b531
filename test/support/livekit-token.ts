import { createHash, createHmac } from "node:crypto";
import { RECORDED_KEY } from "./recordings";

export type TokenOptions = {
  readonly apiKey?: string;
  readonly apiSecret?: string;
  /** Seconds. */ readonly now?: number;
};

/** The token that LiveKit sends with this webhook: HS256, five minutes, the body's SHA-256. */
export function livekitToken(body: string | Uint8Array, options: TokenOptions = {}): string {
  const {
    apiKey = RECORDED_KEY.apiKey,
    apiSecret = RECORDED_KEY.apiSecret,
    now = Math.floor(Date.now() / 1000),
  } = options;
  const claims = {
    iss: apiKey,
    exp: now + 300,
    nbf: now,
    iat: now,
    sha256: createHash("sha256").update(body).digest("base64"),
  };
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", apiSecret).update(signed).digest("base64url")}`;
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
