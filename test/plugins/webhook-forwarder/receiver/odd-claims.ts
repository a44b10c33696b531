import * as fc from "fast-check";
import { mostly } from "./mostly";
import { API_KEY, livekitClaims, sha256 } from "./sign-token";

// Not a whole second: it must be rounded down.
export const NOW_MS = 1_795_301_401_789;
const NOW = Math.floor(NOW_MS / 1000);

/** Around each edge (now, now - 60, now + 60) and away from it, with fractions, and things that are no time. */
const time = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        fc.constantFrom(-360, -60, 0, 60, 360),
        fc.constantFrom(-1, -0.999, -0.5, -0.001, 0, 0.001, 0.211, 0.5, 0.789, 0.999, 1),
      )
      .map(([edge, offset]): unknown => NOW + edge + offset),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(
      0,
      -1,
      -0,
      1e300,
      -1e300,
      NOW_MS,
      String(NOW + 100),
      "",
      null,
      true,
      [NOW + 100],
      {},
    ),
  },
);

const timeOr = (usual: number) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant<unknown>(usual) },
    { weight: 4, arbitrary: time },
    { weight: 1, arbitrary: fc.constant<unknown>(undefined) },
  );

/** Claims as JSON for a body, most of them LiveKit's own. */
export const claimsOf = (body: string) =>
  fc.oneof(
    {
      weight: 9,
      arbitrary: fc
        .record({
          iss: mostly<unknown>(
            API_KEY,
            fc.constantFrom<unknown>("other", "", "devkey ", "DEVKEY", [API_KEY], null, 1, undefined),
          ),
          exp: timeOr(NOW + 300),
          nbf: timeOr(NOW),
          iat: timeOr(NOW),
          sha256: mostly<unknown>(
            sha256(body),
            fc.constantFrom<unknown>(
              sha256(body).replace(/=+$/, ""),
              Buffer.from(sha256(body), "base64").toString("base64url"),
              Buffer.from(sha256(body), "base64").toString("hex"),
              `${sha256(body)} `,
              sha256(body).toLowerCase(),
              sha256("{} "),
              [sha256(body)],
              "",
              null,
              undefined,
            ),
          ),
          aud: fc.constantFrom<unknown>(undefined, undefined, "x", ["y"]),
          video: fc.constantFrom<unknown>(undefined, undefined, { roomJoin: true }),
        })
        .map((value): string | Uint8Array => JSON.stringify(value)),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom<string | Uint8Array>(
        ...rawClaims(JSON.stringify(livekitClaims(body, NOW)).slice(1, -1)),
      ),
    },
  );

/** Claims that `JSON.stringify` would not write, around the members that make a good token. */
function rawClaims(members: string): readonly (string | Uint8Array)[] {
  return [
    "",
    "{}",
    "[]",
    "null",
    '"x"',
    `[{${members}}]`,
    `{${members}`,
    `{${members},}`,
    ` {${members}}\n`,
    `\ufeff{${members}}`,
    `{${members},"iss":"other"}`,
    `{"iss":"other",${members}}`,
    `{${members},"exp":1}`,
    `{"exp":1,${members}}`,
    `{${members},"exp":1e400}`,
    `{${members},"nbf":-1e400}`,
    `{${members},"nbf":1e400}`,
    `{${members},"iat":1e400}`,
    `{${members},"sha256":"x"}`,
    `{"__proto__":{${members}}}`,
    `{"__proto__":{"exp":1},${members}}`,
    `{${members},"x":${"[".repeat(3000)}${"]".repeat(3000)}}`,
    `{${members},"x":"${"y".repeat(50_000)}"}`,
    Buffer.concat([Buffer.from(`{${members},"x":"`), Buffer.of(0xff, 0xc0, 0x80), Buffer.from('"}')]),
    Buffer.concat([Buffer.of(0xff), Buffer.from(`{${members}}`)]),
  ];
}
