import * as fc from "fast-check";
import { mostly } from "./mostly";
import { claimsOf } from "./odd-claims";
import { joseHeader } from "./odd-headers";
import { API_SECRET, base64url, sign, type HmacHash } from "./sign-token";

/** A token before it is put together: every part may be broken before it is signed, and the whole after. */
export type Recipe = {
  readonly header: string;
  readonly claims: string | Uint8Array;
  readonly encodeHeader: Encoding;
  readonly encodeClaims: Encoding;
  /** The one that the header names when it can be told, or one whatever it names. */
  readonly hmac: HmacHash | "header's";
  readonly secret: string;
  readonly encodeSignature: Encoding;
  readonly damage: (token: string) => string;
  readonly body: string;
};

/** Another way to write the same base64url text: some are the same bytes to `atob`, some are not. */
type Encoding = (text: string) => string;

const pad = (text: string) => text + "=".repeat((4 - (text.length % 4)) % 4);
const insert = (text: string, at: number, what: string) => {
  const index = Math.floor(at * (text.length + 1));
  return text.slice(0, index) + what + text.slice(index);
};
const replace = (text: string, at: number, what: string) => {
  const index = Math.min(Math.floor(at * text.length), text.length - 1);
  return text.slice(0, index) + what + text.slice(index + 1);
};

const unit = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const oddText = fc.constantFrom(
  " ",
  "\n",
  "\t",
  "\u00a0",
  "\ufeff",
  "=",
  "==",
  "+",
  "/",
  "-",
  "_",
  ".",
  "..",
  "é",
  "💥",
  "\ud800",
  "\0",
  "%",
  "A",
  "*",
);

const encoding: fc.Arbitrary<Encoding> = mostly(
  (text: string) => text,
  fc.oneof(
    fc.constantFrom<Encoding>(
      pad,
      (text) => text.replaceAll("-", "+").replaceAll("_", "/"),
      (text) => pad(text.replaceAll("-", "+").replaceAll("_", "/")),
      (text) => `${text}=`,
      (text) => ` ${text}\n`,
      (text) => text.slice(0, -1),
      (text) => text.slice(0, 20),
      (text) => text + text,
      (text) => text.toLowerCase(),
      () => "",
    ),
    // The last character's unused bits: other text, the same bytes.
    fc.constantFrom("A", "B", "E", "Q", "g", "w", "8").map(
      (char): Encoding =>
        (text) =>
          text.slice(0, -1) + char,
    ),
    fc.tuple(unit, oddText).map(
      ([at, what]): Encoding =>
        (text) =>
          insert(text, at, what),
    ),
    fc.tuple(unit, oddText).map(
      ([at, what]): Encoding =>
        (text) =>
          replace(text, at, what),
    ),
  ),
);

const damage: fc.Arbitrary<Recipe["damage"]> = mostly(
  (token: string) => token,
  fc.oneof(
    fc.constantFrom<Recipe["damage"]>(
      (token) => `Bearer ${token}`,
      (token) => `bearer ${token}`,
      (token) => ` ${token}`,
      (token) => `${token} `,
      (token) => `${token}.`,
      (token) => `.${token}`,
      (token) => token.replaceAll(".", ""),
      (token) => token.split(".").toReversed().join("."),
      (token) => token.split(".").slice(0, 2).join("."),
      (token) => `${token.split(".").slice(0, 2).join(".")}.`,
      (token) => token.toUpperCase(),
      (token) => `"${token}"`,
      () => "",
      () => "..",
      () => "eyJhbGciOiJub25lIn0..",
    ),
    // One bit of one character.
    fc.tuple(unit, fc.integer({ min: 0, max: 6 })).map(([at, bit]): Recipe["damage"] => (token) => {
      const index = Math.floor(at * token.length);
      return replace(token, at, String.fromCharCode((token.charCodeAt(index) || 0) ^ (1 << bit)));
    }),
    fc.tuple(unit, oddText).map(
      ([at, what]): Recipe["damage"] =>
        (token) =>
          insert(token, at, what),
    ),
    fc.tuple(unit, oddText).map(
      ([at, what]): Recipe["damage"] =>
        (token) =>
          replace(token, at, what),
    ),
  ),
);

const BODIES = [
  '{"event":"room_started", "id":"EV_1", "createdAt":"1795301401"}',
  '{"event":"participant_joined","participant":{"attributes":{"sip.h.to":"<sip:é💥@tenant.example>"}}}',
  `{"event":"track_published","room":{"name":"${"x".repeat(3000)}"}}`,
  "{}",
];

export const tokenRecipe: fc.Arbitrary<Recipe> = fc.constantFrom(...BODIES).chain((signedBody) =>
  fc.record<Recipe>({
    header: joseHeader,
    claims: claimsOf(signedBody),
    encodeHeader: encoding,
    encodeClaims: encoding,
    hmac: mostly<Recipe["hmac"]>("header's", fc.constantFrom<HmacHash>("sha256", "sha384", "sha512")),
    secret: mostly(API_SECRET, fc.constantFrom("other", `${API_SECRET}\0`, "")),
    encodeSignature: encoding,
    damage,
    body: mostly(signedBody, fc.constantFrom(...BODIES)),
  }),
);

export function cookToken(recipe: Recipe): string {
  const { header: head, claims, secret } = recipe;
  const signed = `${recipe.encodeHeader(base64url(head))}.${recipe.encodeClaims(base64url(claims))}`;
  const hmac = recipe.hmac === "header's" ? hmacNamedBy(head) : recipe.hmac;
  return recipe.damage(`${signed}.${recipe.encodeSignature(sign(signed, secret, hmac))}`);
}

function hmacNamedBy(head: string): HmacHash {
  if (head.includes('"HS384"')) return "sha384";
  return head.includes('"HS512"') ? "sha512" : "sha256";
}
