import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { normalizeHost, type Host } from "../../src/domain/host";
import {
  covers,
  isWildcard,
  matchingWildcards,
  parseHostPattern,
  type HostPattern,
} from "../../src/domain/host-pattern";

function pattern(text: string): HostPattern {
  const parsed = parseHostPattern(text);
  if (parsed === undefined) throw new Error(`${text} is no host pattern`);
  return parsed;
}

function host(text: string): Host {
  const parsed = normalizeHost(text);
  if (parsed === undefined) throw new Error(`${text} is no host`);
  return parsed;
}

const matches = (entry: HostPattern, called: string): boolean =>
  entry === called || matchingWildcards(host(called)).some((wildcard) => wildcard === entry);

describe("a hook's host", () => {
  test.each([
    ["Tenant-A.Example.COM.", "tenant-a.example.com"],
    ["tenant-a.example.com:5061", "tenant-a.example.com"],
    ["[2001:DB8::9]", "2001:db8::9"],
    ["2001:db8:0::9", "2001:db8::9"],
    ["192.0.2.77", "192.0.2.77"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["*.Tenant-A.Example.COM.", "*.tenant-a.example.com"],
    ["*.bücher.example:5060", "*.xn--bcher-kva.example"],
    ["*.a.example", "*.a.example"],
  ])("%s is entered as %s", (text, expected) => {
    expect<string | undefined>(parseHostPattern(text)).toBe(expected);
  });

  test.each([
    "",
    "*",
    "*.",
    "*.example",
    "*.example.",
    "*.*.a.example",
    "a.*.example",
    "*a.example",
    "x*.a.example",
    "*..a.example",
    "*.192.0.2.1",
    "*.2001:db8::9",
    "*.[2001:db8::9]",
    " *.a.example",
    "* .a.example",
    "＊.a.example",
    "https://a.example",
  ])("%p is none", (text) => {
    expect(parseHostPattern(text)).toBeUndefined();
  });

  test("is a wildcard only when it begins with *.", () => {
    expect(["*.a.example", "a.example", "2001:db8::9"].map((text) => isWildcard(pattern(text)))).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("the wildcards of a host", () => {
  test("are found longest suffix first, with two labels at least", () => {
    expect<readonly string[]>(matchingWildcards(host("x.y.a.example"))).toEqual(["*.y.a.example", "*.a.example"]);
  });

  test.each(["a.example", "localhost", "192.0.2.1", "2001:db8::9", "::ffff:192.0.2.1"])("%s has none", (text) => {
    expect(matchingWildcards(host(text))).toEqual([]);
  });

  test("are patterns, and cover the host", () => {
    fc.assert(
      fc.property(fc.domain(), (name) => {
        const called = host(name);
        for (const wildcard of matchingWildcards(called)) {
          expect(parseHostPattern(wildcard)).toBe(wildcard);
          expect(covers(wildcard, called)).toBe(true);
        }
      }),
    );
  });
});

describe("a granted pattern", () => {
  test.each([
    ["*.a.example", "x.a.example", true],
    ["*.a.example", "x.y.a.example", true],
    ["*.a.example", "*.a.example", true],
    ["*.a.example", "*.x.a.example", true],
    ["*.a.example", "a.example", false],
    ["*.a.example", "xa.example", false],
    ["*.a.example", "*.xa.example", false],
    ["*.a.example", "x.a.example.org", false],
    ["*.x.a.example", "*.a.example", false],
    ["a.example", "a.example", true],
    ["a.example", "*.a.example", false],
    ["a.example", "x.a.example", false],
    ["x.a.example", "*.a.example", false],
    ["192.0.2.1", "192.0.2.1", true],
    ["2001:db8::9", "[2001:DB8:0::9]", true],
    ["*.a.example", "192.0.2.1", false],
  ])("%s covers %s: %p", (granted, wanted, expected) => {
    expect(covers(pattern(granted), pattern(wanted))).toBe(expected);
  });

  test("covers what is wanted exactly when it matches every host of it", () => {
    const label = fc.constantFrom("a", "b");
    const names = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join("."));
    const patterns = fc.tuple(fc.constantFrom("", "*."), names).map(([star, name]) => pattern(star + name));
    // Hosts with one label more than any pattern has: enough to tell two patterns apart.
    const prefixes = ["", "a.", "b.", "c.", "a.a.", "b.a.", "a.b.", "b.b.", "c.a.", "c.b."];
    fc.assert(
      fc.property(patterns, patterns, (granted, wanted) => {
        const hosts = isWildcard(wanted) ? prefixes.slice(1).map((prefix) => prefix + wanted.slice(2)) : [wanted];
        expect(covers(granted, wanted)).toBe(hosts.every((called) => matches(granted, called)));
      }),
      { numRuns: 1000 },
    );
  });
});
