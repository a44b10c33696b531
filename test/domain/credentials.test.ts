import { describe, expect, test } from "bun:test";
import {
  credentialsFault,
  mapCredentials,
  readWritten,
  secretParts,
  toWritten,
  type WrittenCredentials,
} from "../../src/domain/credentials";
import { basicAuthorization, isBearerToken, isHeaderValue, isPassword, isToken } from "../../src/domain/http-header";

const WRITTEN: readonly WrittenCredentials<string>[] = [
  {},
  { bearer: "b" },
  { basic: { username: "u", password: "p" } },
  { header: { name: "X-Api-Key", value: "h" } },
  { client_certificate: { certificate: "c", key: "k" } },
  {
    basic: { username: "u", password: "p" },
    header: { name: "X-Api-Key", value: "h" },
    client_certificate: { certificate: "c", key: "k" },
  },
];

describe("credentials", () => {
  test.each(WRITTEN)("are read and written back: %j", (written) => {
    expect(toWritten(readWritten(written))).toEqual(written);
  });

  test.each(WRITTEN)("have every secret part replaced, and nothing else: %j", (written) => {
    const hidden = toWritten(mapCredentials(readWritten(written), (value) => `env:${value}`));
    expect(JSON.parse(JSON.stringify(hidden).replaceAll("env:", ""))).toEqual(written);
    const parts = secretParts(readWritten(written));
    expect(JSON.stringify(hidden).split("env:")).toHaveLength(parts.length + 1);
  });

  test.each<[string, WrittenCredentials<string>, string]>([
    ["bearer and basic", { bearer: "b", basic: { username: "u", password: "p" } }, "basic"],
    ["a colon in the user name", { basic: { username: "a:b", password: "p" } }, "basic"],
    ["a line break in the user name", { basic: { username: "a\r\nb", password: "p" } }, "basic"],
    ["bearer and a header Authorization", { bearer: "b", header: { name: "AUTHORIZATION", value: "h" } }, "header"],
    ["an empty header name", { header: { name: "", value: "h" } }, "header"],
    ["a header name with a colon", { header: { name: "a:", value: "h" } }, "header"],
    ["a header name with a line break", { header: { name: "a\r\nb", value: "h" } }, "header"],
    ["a header name outside ASCII", { header: { name: "schlüssel", value: "h" } }, "header"],
    ["a prototype's name", { header: { name: "__proto__", value: "h" } }, "header"],
    ...[
      "Content-Type",
      "content-length",
      "Content-Encoding",
      "Host",
      "User-Agent",
      "webhook-id",
      "Webhook-Signature",
      "X-Sayna-Signature",
      "X-Sayna-Replay",
      "Connection",
      "Keep-Alive",
      "TE",
      "Traceparent",
      "Trailer",
      "Transfer-Encoding",
      "Upgrade",
      "Proxy-Authorization",
      "Proxy-Connection",
      "Expect",
    ].map((name): [string, WrittenCredentials<string>, string] => [name, { header: { name, value: "h" } }, "header"]),
  ])("cannot have %s", (_, written, member) => {
    expect(credentialsFault(written)).toMatchObject({ member });
  });

  test.each<[string, WrittenCredentials<string>]>([
    ...WRITTEN.map((written): [string, WrittenCredentials<string>] => [JSON.stringify(written), written]),
    ["an empty user name", { basic: { username: "", password: "p" } }],
    ["a user name outside ASCII", { basic: { username: "Jürgen", password: "p" } }],
    ["an Authorization of another scheme", { header: { name: "Authorization", value: "h" } }],
    ["a cookie", { header: { name: "cookie", value: "h" } }],
  ])("may have %s", (_, written) => {
    expect(credentialsFault(written)).toBeUndefined();
  });
});

describe("headers", () => {
  test("basic authorization is UTF-8 (RFC 7617 section 2.1)", () => {
    expect(basicAuthorization("test", "123\u00A3")).toBe("Basic dGVzdDoxMjPCow==");
    expect(basicAuthorization("Aladdin", "open sesame")).toBe("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    expect(basicAuthorization("a", "b:c")).toBe("Basic YTpiOmM=");
  });

  test.each<[string, boolean, boolean, boolean]>([
    ["abc.DEF-1_2~3+4/5==", true, true, true],
    ["two words", false, true, true],
    ["tab\tinside", false, true, false],
    [" x", false, false, true],
    ["x ", false, false, true],
    ["ü", false, false, true],
    ["a\r\nb", false, false, false],
    ["a\0b", false, false, false],
    ["", false, false, true],
  ])("%j as a bearer token, a header's value, a password", (text, bearer, value, password) => {
    expect([isBearerToken(text), isHeaderValue(text), isPassword(text)]).toEqual([bearer, value, password]);
  });

  test("names have an end", () => {
    expect([isToken("a".repeat(100)), isToken("a".repeat(101))]).toEqual([true, false]);
  });
});
