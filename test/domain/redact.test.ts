import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { redact } from "../../src/domain/redact";

const text = (start: string, secrets: readonly string[]): string =>
  Buffer.from(redact(Buffer.from(start), secrets)).toString();

test.each([
  ["as it is", "you sent Bearer token-1, thanks", ["token-1"], "you sent Bearer [secret], thanks"],
  ["everywhere", "token-1 token-1", ["token-1"], "[secret] [secret]"],
  ["all of several", "user:pass-1 dXNlcjpwYXNz", ["pass-1", "dXNlcjpwYXNz"], "user:[secret] [secret]"],
  ["in JSON", '{"auth":"a\\"bcd"}', ['a"bcd'], '{"auth":"[secret]"}'],
  ["in JSON that escapes slashes", '{"auth":"ab\\/cd"}', ["ab/cd"], '{"auth":"[secret]"}'],
  ["outside ASCII", "schlüssel-1", ["schlüssel-1"], "[secret]"],
  ["cut off at the end", "you sent toke", ["token-1"], "you sent [secret]"],
])("a secret that is repeated is taken out: %s", (_, start, secrets, expected) => {
  expect(text(start, secrets)).toBe(expected);
});

test("what is no secret stays byte by byte", () => {
  const bytes = Uint8Array.of(0xff, 0x00, 0xc3);
  expect(redact(bytes, ["secret"])).toBe(bytes);
  expect(text("tok", ["token-1"])).toBe("tok");
  expect(text("a b c", ["b"])).toBe("a b c");
});

test("no secret of four characters or more is left, wherever the answer is cut", () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[!-~]{4,40}$/),
      fc.string(),
      fc.string(),
      fc.nat(80),
      (secret, before, after, cut) => {
        const start = `${before}${secret}${after}`.slice(0, cut + 1);
        expect(text(start, [secret])).not.toContain(secret);
      },
    ),
  );
});
