import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { inRange, parseAddressRange, type AddressRange } from "../../src/domain/address-range";

function range(text: string): AddressRange {
  const parsed = parseAddressRange(text);
  if (parsed === undefined) throw new Error(`${text} is no address range`);
  return parsed;
}

const dotted = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join(".");

describe("an address range", () => {
  test.each([
    ["203.0.113.7", "203.0.113.7"],
    ["203.0.113.7/32", "203.0.113.7"],
    ["203.0.113.0/24", "203.0.113.0/24"],
    ["10.0.0.1/8", "10.0.0.0/8"],
    ["192.0.2.255/25", "192.0.2.128/25"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["2001:DB8::/32", "2001:db8::/32"],
    ["2001:db8:0:0::1/128", "2001:db8::1"],
    ["2001:db8:ffff::1/33", "2001:db8:8000::/33"],
    ["::/0", "::/0"],
    ["::ffff:10.0.0.1/104", "::ffff:10.0.0.0/104"],
  ])("%s is %s", (text, canonical) => {
    expect(range(text).text).toBe(canonical);
    expect(range(canonical)).toEqual(range(text));
  });

  test.each([
    "",
    "/",
    "/8",
    "1.2.3.4/",
    "1.2.3",
    "1.2.3/24",
    "010.0.0.1",
    "010.0.0.0/8",
    "10.0.0.0.0/8",
    "203.0.113.0/99",
    "203.0.113.0/33",
    "10.0.0.0/08",
    "10.0.0.0/+8",
    "10.0.0.0/-1",
    "10.0.0.0/8.0",
    "10.0.0.0/0x8",
    "10.0.0.0/8/8",
    "10.0.0.0/255.0.0.0",
    "10.0.0.0/ 8",
    "10.0.0.0 /8",
    " 10.0.0.0/8",
    "10.0.0.0/8\n",
    "10.0.0.0-10.0.0.9",
    "256.0.0.1",
    "0x7f.0.0.1",
    "2130706433",
    "127.1",
    "::1/129",
    "[::1]",
    "[2001:db8::]/32",
    "fe80::1%eth0",
    "fe80::%eth0/64",
    "2001:db8::/32%eth0",
    "2001:db8::1::/32",
    "::ffff:010.0.0.1",
    "localhost",
    "*",
    "*/0",
  ])("%p is none", (text) => {
    expect(parseAddressRange(text)).toBeUndefined();
  });

  test("is read from any text without throwing", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[0-9a-f:./%]{0,30}$/)), (text) => {
        const parsed = parseAddressRange(text);
        if (parsed) expect(parseAddressRange(parsed.text)).toEqual(parsed);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("a range contains", () => {
  test.each([
    ["203.0.113.0/24", "203.0.113.255", true],
    ["203.0.113.0/24", "203.0.114.0", false],
    ["10.0.0.1/8", "10.255.0.1", true],
    ["203.0.113.7", "203.0.113.7", true],
    ["203.0.113.7", "203.0.113.6", false],
    ["0.0.0.0/0", "255.255.255.255", true],
    ["2001:db8::/32", "2001:DB8:ffff::1", true],
    ["2001:db8::/32", "2001:db9::1", false],
    ["2001:db8:8000::/33", "2001:db8:7fff::1", false],
    ["0.0.0.0/0", "::1", false],
    ["::/0", "192.0.2.1", false],
    ["10.0.0.0/8", "::ffff:10.0.0.1", false],
    ["::ffff:10.0.0.0/104", "::ffff:a00:1", true],
    ["::/96", "::10.0.0.1", true],
    ["::ffff:0:0/96", "::10.0.0.1", false],
    ["0.0.0.0/0", "010.0.0.1", false],
    ["0.0.0.0/0", "localhost", false],
    ["0.0.0.0/0", "", false],
    ["fe80::/10", "fe80::1%eth0", false],
  ])("%s, %s: %p", (text, address, expected) => {
    expect(inRange(range(text), address)).toBe(expected);
  });

  test("exactly the addresses whose leading bits are its own", () => {
    const address = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(
        address,
        fc.integer({ min: 0, max: 32 }),
        address,
        fc.integer({ min: 0, max: 32 }),
        (of, bits, noise, kept) => {
          const other = kept === 0 ? noise : ((of & (-1 << (32 - kept))) | (noise & ~(-1 << (32 - kept)))) >>> 0;
          const candidate = kept === 32 ? of : other;
          const same = bits === 0 || of >>> (32 - bits) === candidate >>> (32 - bits);
          expect(inRange(range(`${dotted(of)}/${bits}`), dotted(candidate))).toBe(same);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
