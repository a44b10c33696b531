import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Secret } from "../../../../src/domain/secret";
import { createTokenVerifier, type TokenVerdict } from "../../../../plugins/webhook-forwarder/receiver/verify-token";
import { API_KEY, API_SECRET, livekitClaims, sha256, signToken } from "./sign-token";

const NOW = 1_795_301_401;
const BODY = '{"event":"room_started", "id":"EV_1"}';

type Recorded = {
  readonly receivedAt: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

async function recorded(file: string): Promise<readonly Recorded[]> {
  const text = await Bun.file(`${import.meta.dir}/../../../fixtures/livekit/${file}`).text();
  return text
    .trim()
    .split("\n")
    .map((line): Recorded => JSON.parse(line));
}

function verifierAt(seconds: number, keys: readonly [string, string][] = [[API_KEY, API_SECRET]]) {
  return createTokenVerifier({
    keys: keys.map(([apiKey, apiSecret]) => ({ apiKey, apiSecret: new Secret(apiSecret) })),
    now: () => seconds * 1000,
  });
}

function judge(token: string | null, body: string | Uint8Array = BODY, seconds = NOW): TokenVerdict {
  const verifier = verifierAt(seconds);
  const verdict = verifier.checkToken(token);
  return verdict.kind === "ok" ? verifier.checkBody(verdict, Buffer.from(body)) : verdict;
}

describe("a token that LiveKit made", () => {
  test.each(["answered-call.jsonl", "to-headers.jsonl", "conference.jsonl"])("is accepted: %s", async (file) => {
    const lines = await recorded(file);
    expect(lines.length).toBeGreaterThan(9);
    for (const { receivedAt, headers, body } of lines) {
      const verdict = judge(headers["authorization"] ?? null, body, Date.parse(receivedAt) / 1000);
      expect(verdict).toEqual({ kind: "ok", apiKey: API_KEY, sha256: sha256(body) });
    }
  });

  test("is judged before its body is there, and then covers that body alone", () => {
    const verifier = verifierAt(NOW);
    const token = verifier.checkToken(signToken(livekitClaims(BODY, NOW)));
    if (token.kind !== "ok") throw new Error(token.reason);
    expect(verifier.checkBody(token, Buffer.from(BODY))).toBe(token);
    expect(verifier.checkBody(token, Buffer.from(`${BODY} `))).toEqual({
      kind: "refused",
      reason: "body-hash",
      keyId: API_KEY,
    });
  });

  test("covers the body's bytes, also when they are no UTF-8", () => {
    const bytes = Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d);
    const token = signToken({ ...livekitClaims(BODY, NOW), sha256: sha256(bytes) });
    expect(judge(token, bytes).kind).toBe("ok");
    expect(judge(token, Uint8Array.of(0x7b, 0xfe, 0xff, 0x7d)).kind).toBe("refused");
  });
});

describe("the clocks may differ by 60 s", () => {
  const at = (times: object) => judge(signToken({ ...livekitClaims(BODY, NOW), ...times }));

  test.each([
    ["signed 60 s ahead of this clock", { iat: NOW + 60, nbf: NOW + 60, exp: NOW + 360 }],
    ["expired less than 60 s ago", { iat: NOW - 359, nbf: NOW - 359, exp: NOW - 59 }],
  ])("%s: accepted", (_, times) => {
    expect(at(times).kind).toBe("ok");
  });

  test.each([
    ["signed 61 s ahead", { iat: NOW + 61, nbf: NOW + 61, exp: NOW + 361 }, "not-yet-valid", -61],
    [
      "a fraction of a second more than 60 s ahead",
      { iat: NOW, nbf: NOW + 60.001, exp: NOW + 360 },
      "not-yet-valid",
      0,
    ],
    ["expired 60 s ago", { iat: NOW - 360, nbf: NOW - 360, exp: NOW - 60 }, "expired", 360],
    ["expired, without iat", { iat: undefined, nbf: NOW - 600, exp: NOW - 300 }, "expired", 600],
    ["expired, with exp alone", { iat: undefined, nbf: undefined, exp: NOW - 300 }, "expired", 300],
  ])("%s: refused with the skew", (_, times, reason, skewSeconds) => {
    const verdict: unknown = at(times);
    expect(verdict).toEqual({ kind: "refused", reason, keyId: API_KEY, skewSeconds });
  });
});

describe("refused", () => {
  const claims = livekitClaims(BODY, NOW);
  const unsigned = `${signToken(claims, { header: { alg: "none" } })
    .split(".")
    .slice(0, 2)
    .join(".")}.`;

  test.each([
    ["no header", null, "missing"],
    ["an empty header", "", "missing"],
    ["a Bearer prefix, which LiveKit does not send", `Bearer ${signToken(claims)}`, "malformed"],
    ["two parts", signToken(claims).split(".").slice(1).join("."), "malformed"],
    ["four parts", `${signToken(claims)}.`, "malformed"],
    ["no signature and alg none", unsigned, "algorithm"],
    ["HS512, signed with the right secret", signToken(claims, { header: { alg: "HS512" } }), "algorithm"],
    ["an unknown critical extension", signToken(claims, { header: { alg: "HS256", crit: ["exp"] } }), "malformed"],
    ["the secret of somebody else", signToken(claims, { secret: "somebody else's" }), "signature"],
    ["no iss", signToken({ ...claims, iss: undefined }), "claims"],
    ["no exp", signToken({ ...claims, exp: undefined }), "claims"],
    ["no sha256", signToken({ ...claims, sha256: undefined }), "claims"],
    ["another body's hash", signToken({ ...claims, sha256: sha256("{}") }), "body-hash"],
  ])("%s", (_, token, reason) => {
    expect(judge(token)).toMatchObject({ kind: "refused", reason });
  });

  test("an unknown key is named, in at most 64 harmless characters", () => {
    const iss = `x\n\u001b[31m"${"y".repeat(1000)}`;
    expect(judge(signToken({ ...claims, iss }))).toEqual({
      kind: "refused",
      reason: "unknown-key",
      keyId: `x???31m?${"y".repeat(56)}…`,
    });
  });
});

describe("several keys", () => {
  const claims = livekitClaims(BODY, NOW);

  test("each signs with its own secret, chosen by iss", () => {
    const verifier = verifierAt(NOW, [
      ["one", "secret-one"],
      ["two", "secret-two"],
    ]);
    const check = (iss: string, secret: string) => verifier.checkToken(signToken({ ...claims, iss }, { secret }));
    expect(check("one", "secret-one")).toMatchObject({ kind: "ok", apiKey: "one" });
    expect(check("two", "secret-two")).toMatchObject({ kind: "ok", apiKey: "two" });
    expect(check("one", "secret-two")).toMatchObject({ kind: "refused", reason: "signature" });
    expect(check("three", "secret-one")).toMatchObject({ kind: "refused", reason: "unknown-key", keyId: "three" });
  });

  test("one key that is listed twice may sign with either secret", () => {
    const verifier = verifierAt(NOW, [
      ["one", "old"],
      ["one", "new"],
    ]);
    for (const secret of ["old", "new"]) {
      expect(verifier.checkToken(signToken({ ...claims, iss: "one" }, { secret })).kind).toBe("ok");
    }
  });

  test.each([
    ["key", "", "secret"],
    ["secret", "key", ""],
  ])("an empty %s is refused at construction", (_, key, secret) => {
    expect(() => verifierAt(NOW, [[key, secret]])).toThrow("cannot be empty");
  });
});

test("no header whatsoever makes it throw, and none that is not signed is accepted", () => {
  const part = fc.oneof(
    fc.base64String(),
    fc.string({ unit: "binary" }),
    fc.json().map((json) => btoa(encodeURI(json))),
  );
  const header = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(part, { maxLength: 5 }).map((parts) => parts.join(".")),
  );
  fc.assert(fc.property(header, (text) => judge(text).kind === "refused"));
});
