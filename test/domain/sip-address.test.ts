import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { readFileSync } from "node:fs";
import { normalizeHost } from "../../src/domain/host";
import { hostOfSipAddress } from "../../src/domain/sip-address";

/** Compared as plain text, so that tables need no branded values. */
const hostOf = (value: string): string | undefined => hostOfSipAddress(value);

/** Every To and X-To-IP of the recorded calls, LiveKit's own tag cut off. */
const RECORDED: Readonly<Record<string, string | undefined>> = {
  "<sip:+15557654321@Tenant-B.Example.COM>": "tenant-b.example.com",
  '"Support" <sip:+15557654321@tenant-a.example.com:5080;user=phone>': "tenant-a.example.com",
  "<sips:bob@tenant-a.example.com>": "tenant-a.example.com",
  "<tel:+15557654321>": undefined,
  "tenant-c.example.com": "tenant-c.example.com",
  "<sip:+15557654321@[2001:db8::9]>": "2001:db8::9",
  "<sip:192.0.2.77>": "192.0.2.77",
  "<sip:+15557654321@tenant-a.example.com>": "tenant-a.example.com",
  "<sip:+15557654321@unknown.example.org>": "unknown.example.org",
  "tenant-b.example.com:5061": "tenant-b.example.com",
  '"J\\"r <a@b>" <sip:u%40x@tenant-a.example.com>': "tenant-a.example.com",
  "<sip:sips%3Auser%40example.com@tenant-b.example.com>": "tenant-b.example.com",
  "<sip:user@xn--bcher-kva.example>": "xn--bcher-kva.example",
  '"テスト \u2028" <sip:user@tenant-a.example.com>': "tenant-a.example.com",
  "<sip:user@tenant-a.example.com;transport=tcp?Subject=hi%20there>;x=y": "tenant-a.example.com",
  "<sip:+1555@tenant-a.example.com>": "tenant-a.example.com",
  "<sip:+1555@tenant-b.example.com>": "tenant-b.example.com",
  "edge-1.example.net": "edge-1.example.net",
};

function recordedValues(): string[] {
  const values = new Set<string>();
  for (const file of ["to-headers", "conference", "answered-call"]) {
    const lines = readFileSync(new URL(`../fixtures/livekit/${file}.jsonl`, import.meta.url), "utf8")
      .trim()
      .split("\n");
    for (const line of lines) {
      const attributes = JSON.parse(JSON.parse(line).body).participant?.attributes ?? {};
      for (const name of ["sip.h.to", "sip.h.x-to-ip"]) if (name in attributes) values.add(attributes[name]);
    }
  }
  return [...values];
}

const withoutTag = (value: string): string => value.replace(/;tag=SCL_\w{12}$/, "");

describe("the recorded calls", () => {
  const values = recordedValues();

  test("are all in the table, and nothing else is", () => {
    expect(new Set(values.map(withoutTag))).toEqual(new Set(Object.keys(RECORDED)));
  });

  test.each(values)("%s has the expected host", (value) => {
    expect(hostOf(value)).toBe(RECORDED[withoutTag(value)]);
  });
});

describe("the host of a value is found", () => {
  test.each([
    ["without a user", "<sip:tenant-a.example.com>;tag=SCL_1"],
    ["without a user, with a port", "<sip:tenant-a.example.com:5060>"],
    ["with a password", "<sip:alice:secret@tenant-a.example.com>"],
    ["with an empty password", "<sip:alice:@tenant-a.example.com>"],
    ["with the scheme in capitals", "<SIPS:alice@tenant-a.example.com>"],
    ["with all that a user part may hold", "<sip:a-_.!~*'()&=+$,;?/%40%3a@tenant-a.example.com>"],
    ["with a host-like parameter in the user part", "<sip:evil.example;x=evil.example?y@tenant-a.example.com>"],
    ["with a feature code, its # not escaped", "<sip:*21*5551#@tenant-a.example.com>"],
    ["with URI parameters", "<sip:a@tenant-a.example.com;maddr=evil.example;lr>"],
    ["with URI headers", "<sip:a@tenant-a.example.com?Route=%3Csip:evil.example%3E>"],
    ["with header parameters", '<sip:a@tenant-a.example.com>;x="<sip:a@evil.example>" ; y=evil.example;z'],
    [
      "with a quoted display name that holds an address",
      '"<sip:a@evil.example>, \\"evil.example\\"" <sip:a@tenant-a.example.com>',
    ],
    ["with an escaped backslash at the end of the display name", '"evil\\\\" <sip:a@tenant-a.example.com>'],
    ["with an empty display name", '"" <sip:a@tenant-a.example.com>'],
    ["without a space after the display name", '"evil"<sip:a@tenant-a.example.com>'],
    ["with a display name of tokens", "evil.example Evil <sip:a@tenant-a.example.com>"],
    ["with blanks around", " \t<sip:a@tenant-a.example.com> ;tag=1\t"],
    ["with a Unicode name's A-label", "<sip:a@TENANT-A.example.com.>"],
    ["without brackets", "sip:a@tenant-a.example.com"],
    ["without brackets, with parameters, which are the header's", "sip:a@tenant-a.example.com:5060 ;tag=evil.example"],
    ["bare", "tenant-a.example.com"],
    ["bare with a port and blanks", " tenant-a.example.com:5061 "],
  ])("%s", (_, value) => {
    expect(hostOf(value)).toBe("tenant-a.example.com");
  });

  test.each([
    ["<sip:a@[2001:DB8::9]:5060;lr>", "2001:db8::9"],
    ["<sip:[2001:db8::9]>", "2001:db8::9"],
    ["[2001:db8::9]:5060", "2001:db8::9"],
    ["2001:db8::5060", "2001:db8::5060"],
    ["192.0.2.77:5060", "192.0.2.77"],
    ["<sip:a@bücher.example>", "xn--bcher-kva.example"],
  ])("%s: %s", (value, host) => {
    expect(hostOf(value)).toBe(host);
  });
});

describe("no host is taken from", () => {
  test.each([
    ["nothing", ""],
    ["blanks", " \t "],
    ["another scheme", "<tel:+15557654321>"],
    ["another scheme without brackets", "tel:911"],
    ["another scheme with an authority", "<https://tenant-a.example.com>"],
    ["brackets without a scheme", "<tenant-a.example.com>"],
    ["an empty URI", "<sip:>"],
    ["an empty host", "<sip:a@>"],
    ["an empty user part", "<sip:@tenant-a.example.com>"],
    ["an @ that is not escaped", "<sip:a@b@tenant-a.example.com>"],
    ["an @ in a parameter", "<sip:a@tenant-a.example.com;x=a@b>"],
    ["an @ in a header", "<sip:a@tenant-a.example.com?To=a@b>"],
    ["a broken escape in the user part", "<sip:a%4@tenant-a.example.com>"],
    ["two colons in the user part", "<sip:a:b:c@tenant-a.example.com>"],
    ["a bracket in the user part", "<sip:[a@tenant-a.example.com>"],
    ["a quote in the URI", '<sip:"a"@tenant-a.example.com>'],
    ["a space in the user part", "<sip:a b@tenant-a.example.com>"],
    ["a space in the URI", "<sip:a@tenant-a.example.com;x= y>"],
    ["a space inside the brackets", "< sip:a@tenant-a.example.com>"],
    ["a control character in the URI", "<sip:a@tenant-a.example.com;x=\x01>"],
    ["an escape in the host", "<sip:a@%74enant-a.example.com>"],
    ["IPv6 without brackets in a URI, whose last group could be a port", "<sip:a@2001:db8::5060>"],
    ["two ports", "<sip:a@tenant-a.example.com:1:2>"],
    ["a quoted display name alone", '"tenant-a.example.com"'],
    ["a quoted display name that does not end", '"Alice <sip:a@tenant-a.example.com>;tag=SCL_1'],
    ["a quoted display name whose end is escaped", '"Alice\\" <sip:a@tenant-a.example.com>;tag=SCL_1'],
    ["a quoted parameter that does not end", '<sip:a@tenant-a.example.com>;x="y'],
    ["two quoted display names", '"a" "b" <sip:a@tenant-a.example.com>'],
    ["a display name with an @", "a@b <sip:a@tenant-a.example.com>"],
    ["a display name that is an address", "sip:a@b.example <sip:a@tenant-a.example.com>"],
    ["a bracket that does not close", "<sip:a@tenant-a.example.com"],
    ["a bracket that does not open", "sip:a@tenant-a.example.com>"],
    ["brackets in brackets", "<<sip:a@tenant-a.example.com>>"],
    ["two addresses", "<sip:a@tenant-a.example.com>, <sip:a@tenant-b.example.com>"],
    ["two addresses, one without brackets", "<sip:a@tenant-a.example.com>, sip:a@tenant-b.example.com"],
    ["two bare hosts", "tenant-a.example.com, tenant-b.example.com"],
    ["text behind the brackets", "<sip:a@tenant-a.example.com> tenant-b.example.com"],
    ["a URI without brackets that has an @ behind its parameters", "sip:tenant-a.example.com;x@tenant-b.example.com"],
    ["a URI without brackets with headers", "sip:a@tenant-a.example.com?x=y"],
    ["a URI without brackets with a comma", "sip:a,b@tenant-a.example.com"],
    ["a bare host with parameters", "tenant-a.example.com;tag=1"],
    ["a bare host with a user", "a@tenant-a.example.com"],
    ["a bare host after a line break", "x\r\ntenant-a.example.com"],
    ["a no-break space around a bare host", "\u00a0tenant-a.example.com"],
    ["a number that could be a port", "sip:5060"],
  ])("%s: %p", (_, value) => {
    expect(hostOf(value)).toBeUndefined();
  });
});

const EVIL = "evil.example";
const hostNames = fc.oneof(
  fc.domain(),
  fc.domain().map((name) => name.toUpperCase()),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
);
/** What a caller may put where no host is: addresses of somebody else, in every spelling. */
const bait = fc.array(
  fc.constantFrom(
    EVIL,
    `<sip:a@${EVIL}>`,
    `sip:${EVIL}`,
    `a@${EVIL}`,
    `;tag=${EVIL}`,
    ">",
    "<",
    ",",
    "@",
    "\\",
    '"',
    " ",
    "ü",
    "x",
  ),
  { maxLength: 6 },
);
const quoted = bait.map((parts) => `"${parts.join("").replaceAll(/["\\]/g, "\\$&")}"`);
const escaped = bait.map((parts) => encodeURIComponent(parts.join("")));
const displayNames = fc.oneof(fc.constant(""), quoted, fc.constantFrom("Bob ", `Bob ${EVIL} `));
const userParts = fc.oneof(
  fc.constant(""),
  escaped.map((text) => `u${text}@`),
  escaped.map((text) => `${EVIL};${text}=${EVIL}?&$,/@`),
  escaped.map((text) => `+1555:${text}@`),
);
const ports = fc.oneof(
  fc.constant(""),
  fc.integer({ min: 0, max: 65_535 }).map((port) => `:${port}`),
);
const uriParams = fc.oneof(
  fc.constant(""),
  escaped.map((text) => `;maddr=${EVIL};x=${text}?Route=${text}&To=${EVIL}`),
);
const headerParams = fc.oneof(
  fc.constant(";tag=SCL_N8gAdCqMMrpg"),
  quoted.map((text) => `;x=${text};y=${EVIL};tag=1`),
);

describe("for any value", () => {
  test("built of random parts, exactly the normalised host is found", () => {
    fc.assert(
      fc.property(
        displayNames,
        fc.constantFrom("sip:", "sips:", "SIP:"),
        userParts,
        hostNames,
        ports,
        uriParams,
        headerParams,
        (display, scheme, user, host, port, params, tag) => {
          const expected = normalizeHost(host);
          expect(expected).toBeDefined();
          expect(hostOfSipAddress(`${display}<${scheme}${user}${host}${port}${params}>${tag}`)).toBe(expected);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("whose only host is in a display name, a user part or a parameter, none is found", () => {
    const noHost = fc.constantFrom(
      "sip:",
      "sip:%41",
      "sip:a..b",
      "sip:-",
      "sip:1.2.3",
      "tel:+1555",
      "sip:[::1",
      "urn:x",
    );
    fc.assert(
      fc.property(displayNames, noHost, userParts, uriParams, headerParams, (display, broken, user, params, tag) => {
        const uri = broken.startsWith("sip:") ? `sip:${user}${broken.slice(4)}` : broken;
        expect(hostOf(`${display}<${uri}${params}>${tag}`)).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  test("made of the grammar's own pieces, a host is found only where a URI's host or a bare host can be", () => {
    const pieces = fc.constantFrom(
      '"',
      "\\",
      "<",
      ">",
      "@",
      ";",
      ",",
      "?",
      ":",
      "[",
      "]",
      " ",
      "sip:",
      "a",
      "=",
      EVIL,
      "tel:",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 16 }), (parts) => {
        const value = parts.join("");
        if (hostOf(value) !== EVIL) return;
        const unquoted = value.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
        expect(unquoted).toMatch(/(?:^ *|<sip:|^ *sip:|@)evil\.example(?::\d+)?(?:[;?>]| *;| *$)/);
      }),
      { numRuns: 20_000 },
    );
  });

  test("nothing is thrown, and what is found is a normalised host", () => {
    const anyText = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 }).map((units) => String.fromCharCode(...units)),
      fc.string({ unit: "binary", maxLength: 60 }).map((text) => `"${text}" <sip:${text}@${text}>;${text}`),
    );
    fc.assert(
      fc.property(anyText, (value) => {
        const host = hostOf(value);
        if (host !== undefined) expect<string | undefined>(normalizeHost(host)).toBe(host);
      }),
      { numRuns: 3000 },
    );
  });
});

/** LiveKit's attributes end at 64 KiB. Four times that, a parser that goes back over its text would take a minute. */
describe("256 KiB of the same are read at once", () => {
  const pieces = [
    '"',
    '\\"',
    '"\\',
    '""',
    "<",
    ">",
    "<>",
    "@",
    "a@",
    ";",
    ";a",
    ",",
    " ",
    "\t",
    " a",
    ":",
    "[",
    "%",
    "%4",
    "sip:",
    "a",
    "a.",
    "?",
    "ü",
  ];
  const frames = [
    (filler: string) => filler,
    (filler: string) => `${filler},`,
    (filler: string) => `x${filler}x`,
    (filler: string) => `"${filler}`,
    (filler: string) => `${filler}<sip:a@b.example>`,
    (filler: string) => `<sip:${filler}@b.example>`,
    (filler: string) => `<sip:a@${filler}>`,
    (filler: string) => `<sip:a@b.example>${filler}`,
    (filler: string) => `sip:a@b.example${filler}x`,
  ];
  test.each(pieces)("%p", (piece) => {
    const filler = piece.repeat(Math.ceil((256 * 1024) / piece.length));
    for (const frame of frames) expect(["b.example", undefined]).toContain(hostOf(frame(filler)));
  });
});
