import { createHmac, timingSafeEqual } from "node:crypto";
import { isJsonObject, type JsonObject } from "../../../src/domain/json";

/** Seconds that LiveKit forgives in `exp` and `nbf`. */
const LEEWAY = 60;

/** What the token grants, or the text of LiveKit's 401 (version 1.13.3, which repeats the token in it). */
export type TokenVerdict = { readonly grants: JsonObject } | { readonly refusal: string };

/**
 * Judges the Authorization header as LiveKit's middleware does. Without a header the request goes on without grants.
 * `now` is in milliseconds, by LiveKit's clock.
 */
export function judgeAuthorization(
  header: string | undefined,
  { apiKey, apiSecret, now }: { readonly apiKey: string; readonly apiSecret: string; readonly now: number },
): TokenVerdict {
  if (header === undefined) return { grants: {} };
  if (!header.startsWith("Bearer ")) return refuse("invalid authorization header. Must start with Bearer ");
  const token = header.slice("Bearer ".length);
  const [head, body, signature, ...rest] = token.split(".");
  const claims = decode(body);
  if (claims === undefined || decode(head)?.["alg"] !== "HS256" || signature === undefined || rest.length > 0) {
    return refuse("invalid authorization token");
  }
  if (claims["iss"] !== apiKey) return refuse(`invalid API key: ${String(claims["iss"])}`);
  const expected = createHmac("sha256", apiSecret).update(`${head}.${body}`).digest();
  const given = Buffer.from(signature, "base64url");
  const problem =
    given.length !== expected.length || !timingSafeEqual(given, expected)
      ? "token signature is invalid: signature is invalid"
      : timeProblem(claims, now / 1000);
  return problem === undefined ? { grants: claims } : refuse(`invalid token: ${token}, error: ${problem}`);
}

function timeProblem({ exp, nbf }: JsonObject, now: number): string | undefined {
  if (typeof exp !== "number") return "token is missing required claim: exp claim is required";
  if (exp < now - LEEWAY) return "token has invalid claims: token is expired";
  if (nbf !== undefined && (typeof nbf !== "number" || nbf > now + LEEWAY)) {
    return "token has invalid claims: token is not valid yet";
  }
  return undefined;
}

function decode(part: string | undefined): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? "", "base64url").toString());
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const refuse = (refusal: string): TokenVerdict => ({ refusal });

export const sipAdmin = (grants: JsonObject): boolean => member(grants, "sip")["admin"] === true;
export const roomList = (grants: JsonObject): boolean => member(grants, "video")["roomList"] === true;
export const roomCreate = (grants: JsonObject): boolean => member(grants, "video")["roomCreate"] === true;
export const roomAdmin = (grants: JsonObject, room: unknown): boolean =>
  member(grants, "video")["roomAdmin"] === true && (member(grants, "video")["room"] ?? "") === (room ?? "");

const member = (grants: JsonObject, name: string): JsonObject => {
  const value = grants[name];
  return isJsonObject(value) ? value : {};
};
