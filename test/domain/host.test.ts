import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { isAddress, normalizeHost } from "../../src/domain/host";

/** Compared as plain text, so that tables need no branded values. */
const normal = (text: string): string | undefined => normalizeHost(text);

describe("a host is compared in one form", () => {
  test.each([
    ["lower case", "Tenant-B.Example.COM", "tenant-b.example.com"],
    ["one trailing dot goes", "tenant-a.example.com.", "tenant-a.example.com"],
    ["the port goes", "tenant-a.example.com:5060", "tenant-a.example.com"],
    ["the port goes, then the dot", "tenant-a.example.com.:5060", "tenant-a.example.com"],
    ["a single label is a name", "localhost", "localhost"],
    ["an underscore is a letter", "sip_1.example.com", "sip_1.example.com"],
    ["a digit label in front is a name", "1.2.3.example", "1.2.3.example"],
    ["the longest label", `${"a".repeat(63)}.example`, `${"a".repeat(63)}.example`],
    ["IPv4", "192.0.2.77", "192.0.2.77"],
    ["IPv4 and port", "192.0.2.77:5060", "192.0.2.77"],
    ["IPv6 bare, which has no port", "2001:db8::5060", "2001:db8::5060"],
    ["IPv6 in brackets", "[2001:db8::9]", "2001:db8::9"],
    ["IPv6 in brackets and port", "[2001:db8::9]:5060", "2001:db8::9"],
    ["IPv6 lower case, no leading zeros", "2001:0DB8:0:0:0:0:0:0009", "2001:db8::9"],
    ["IPv6 longest run of zeros", "2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["IPv6 first of equal runs", "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["IPv6 single zero is not shortened", "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["IPv4-mapped, dotted", "::FFFF:192.0.2.1", "::ffff:192.0.2.1"],
    ["IPv4-mapped, in groups", "[::ffff:c000:201]:5060", "::ffff:192.0.2.1"],
    ["IPv4-compatible is not IPv4-mapped", "::192.0.2.1", "::c000:201"],
    ["NAT64 with a dotted end", "64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
    ["Unicode name", "bücher.example", "xn--bcher-kva.example"],
    ["Unicode name, upper case, decomposed, port", "BU\u0308CHER.example:5060", "xn--bcher-kva.example"],
    ["Unicode name with an ideographic full stop at the end", "例え。テスト。", "xn--r8jz45g.xn--zckzah"],
    ["full-width letters", "ＡＢＣ.example", "abc.example"],
    ["A-label", "XN--BCHER-kva.Example", "xn--bcher-kva.example"],
    ["an xn-- label as it stands", "xn--zz.example", "xn--zz.example"],
  ])("%s: %s", (_, text, host) => {
    expect(normal(text)).toBe(host);
  });
});

describe("what is not clearly a host is none", () => {
  test.each([
    ["nothing", ""],
    ["a dot", "."],
    ["two trailing dots", "example.com.."],
    ["an empty label", "a..example"],
    ["a leading dot", ".example.com"],
    ["a space", "tenant-a.example.com "],
    ["a space inside", "a b.example"],
    ["a tab", "a\tb.example"],
    ["a line break at the end", "tenant-a.example.com\n"],
    ["NUL", "a\0.example"],
    ["an escape", "%74enant-a.example.com"],
    ["an asterisk", "*.example.com"],
    ["a user part", "u@example.com"],
    ["a path", "example.com/x"],
    ["a scheme", "https://example.com"],
    ["a hyphen at the start of a label", "a.-b.example"],
    ["a hyphen at the end of a label", "a-.example"],
    ["a label of 64", `${"a".repeat(64)}.example`],
    ["a name of 254", `${"a.".repeat(124)}abcdef`],
    ["an empty port", "example.com:"],
    ["a port that is no number", "example.com:sip"],
    ["a port beyond 65535", "example.com:65536"],
    ["two ports", "example.com:5060:5060"],
    ["three parts", "1.2.3"],
    ["five parts", "1.2.3.4.5"],
    ["a leading zero", "192.0.02.1"],
    ["a part beyond 255", "192.0.2.256"],
    ["hexadecimal IPv4", "0x7f.1"],
    ["a name that ends in hexadecimal", "example.0x1f"],
    ["one number", "2130706433"],
    ["a telephone number", "+15557654321"],
    ["IPv4 in brackets", "[192.0.2.77]"],
    ["a name in brackets", "[example.com]"],
    ["a bracket that does not close", "[2001:db8::9"],
    ["a bracket that does not open", "2001:db8::9]"],
    ["something after the brackets", "[2001:db8::9]x"],
    ["a dot after the brackets", "[2001:db8::9]."],
    ["IPvFuture", "[v1.x]"],
    ["a zone", "fe80::1%eth0"],
    ["a zone in brackets", "[fe80::1%25eth0]"],
    ["nine groups, or eight and a port", "2001:db8:1:2:3:4:5:6:5060"],
    ["two ::", "2001::1::2"],
    ["a group of five digits", "2001:00db8::1"],
    ["IPv4-mapped with a leading zero", "::ffff:192.0.02.1"],
    ["full-width digits that look like IPv4", "１２７.0.0.1"],
    ["IPv4 with ideographic full stops", "127。0。0。1"],
    ["full-width 0x", "０x7f.1"],
    ["Unicode with an escape", "%41ü.example"],
    ["Unicode with a full-width percent sign", "ü％41.example"],
    ["Unicode with a full-width asterisk", "＊.ü.example"],
    ["Unicode with a full-width colon", "ü.example：5060"],
    ["Unicode with a path", "ü.example/x"],
    ["Unicode with an empty label", "ü..example"],
    ["Unicode with a hyphen at the start of a label", "a.-ü.example"],
    ["Unicode with a hyphen at the end of a label", "ü-.example"],
    ["Unicode with a label too long as an A-label", `${"ü".repeat(70)}.example`],
    ["a right-to-left override", "\u202eü.example"],
    ["half a surrogate pair", "\ud800.example"],
    ["a character that is not there", "\u200b"],
    ["a name among a thousand characters that are not there", `${"\u00ad".repeat(1024)}ü.example`],
  ])("%s: %p", (_, text) => {
    expect(normal(text)).toBeUndefined();
  });

  test("a port is 0 to 65535, leading zeros allowed (RFC 3261: 1*DIGIT)", () => {
    expect(["a.example:0", "a.example:65535", "a.example:05060"].map(normal)).toEqual([
      "a.example",
      "a.example",
      "a.example",
    ]);
  });
});

test("a name of 253 characters is the longest, dot and port apart", () => {
  const name = `${"a.".repeat(124)}abcde`;
  expect(name).toHaveLength(253);
  expect(normal(`${name}.:5060`)).toBe(name);
});

test("an address is told from a name", () => {
  const kinds = ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "a.example"].map(normalizeHost);
  expect(kinds.map((host) => host && isAddress(host))).toEqual([true, true, true, false]);
});

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 }).map((units) => String.fromCharCode(...units)),
  fc
    .array(
      fc.constantFrom("a", "B", "1", "0", "x", ".", ":", "[", "]", "-", "_", "%", "*", "ü", "。", "１", "xn--", "::"),
      {
        maxLength: 24,
      },
    )
    .map((parts) => parts.join("")),
  fc.ipV4(),
  fc.ipV6(),
  fc.domain(),
);

describe("for any text", () => {
  test("normalising does not throw, and normalising again changes nothing", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const host = normal(text);
        if (host !== undefined) expect(normal(host)).toBe(host);
      }),
      { numRuns: 3000 },
    );
  });

  test("a host has only lower-case ASCII characters of names and addresses, at most 253", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(normal(text) ?? "none").toMatch(/^[a-z0-9._:-]{1,253}$/);
      }),
      { numRuns: 3000 },
    );
  });

  test("a host in brackets, with a port, a dot or capitals is the same host", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 0, max: 65_535 }), (text, port) => {
        const host = normalizeHost(text);
        if (host === undefined) return;
        const spellings = host.includes(":")
          ? [`[${host}]`, `[${host}]:${port}`, host.toUpperCase()]
          : [`${host}.`, `${host}:${port}`, `${host}.:${port}`, host.toUpperCase()];
        for (const spelling of spellings) expect(normalizeHost(spelling)).toBe(host);
      }),
      { numRuns: 1000 },
    );
  });

  test("64 KiB and more is no host", () => {
    for (const part of ["a", "a.", ":", "[", "ü", "1", "0."]) expect(normal(part.repeat(65_536))).toBeUndefined();
  });
});

test("every spelling of an IPv6 address has the form that WHATWG's URL gives it, IPv4-mapped apart", () => {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  fc.assert(
    fc.property(
      fc.array(group, { minLength: 8, maxLength: 8 }),
      fc.integer({ min: 1, max: 4 }),
      fc.boolean(),
      (groups, width, dotted) => {
        const hex = groups.map((value) => value.toString(16).padStart(width, "0").toUpperCase());
        const end = groups.slice(6).flatMap((value) => [value >> 8, value & 0xff]);
        const text = dotted ? [...hex.slice(0, 6), end.join(".")].join(":") : hex.join(":");
        const expected = new URL(`http://[${text}]`).hostname.slice(1, -1);
        const host = normal(text);
        if (expected.startsWith("::ffff:") && groups[5] === 0xffff) expect(host).toBe(`::ffff:${end.join(".")}`);
        else expect(host).toBe(expected);
        expect(normal(expected)).toBe(host);
      },
    ),
    { numRuns: 2000 },
  );
});
