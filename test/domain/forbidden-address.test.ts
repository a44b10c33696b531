import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { parseAddressRange } from "../../src/domain/address-range";
import { forbiddenReason } from "../../src/domain/forbidden-address";
import { normalizeHost } from "../../src/domain/host";

const ranges = (...texts: string[]) => texts.flatMap((text) => parseAddressRange(text) ?? []);

describe("a hook added at run time may not reach", () => {
  test.each([
    ["0.0.0.0", "this network (0.0.0.0/8)"],
    ["0.255.255.255", "this network (0.0.0.0/8)"],
    ["10.0.0.0", "private (10.0.0.0/8)"],
    ["10.255.255.255", "private (10.0.0.0/8)"],
    ["100.64.0.0", "shared with the carrier's NAT (100.64.0.0/10)"],
    ["100.100.100.200", "shared with the carrier's NAT (100.64.0.0/10)"],
    ["100.127.255.255", "shared with the carrier's NAT (100.64.0.0/10)"],
    ["127.0.0.1", "loopback (127.0.0.0/8)"],
    ["127.255.255.255", "loopback (127.0.0.0/8)"],
    ["168.63.129.16", "Azure's platform service (168.63.129.16)"],
    ["169.254.169.254", "link-local, where clouds keep their metadata (169.254.0.0/16)"],
    ["172.16.0.0", "private (172.16.0.0/12)"],
    ["172.31.255.255", "private (172.16.0.0/12)"],
    ["192.0.0.192", "reserved for protocols (192.0.0.0/24)"],
    ["192.0.2.1", "documentation (192.0.2.0/24)"],
    ["192.88.99.1", "6to4 relay (192.88.99.0/24)"],
    ["192.168.255.255", "private (192.168.0.0/16)"],
    ["198.18.0.0", "benchmarking (198.18.0.0/15)"],
    ["198.19.255.255", "benchmarking (198.18.0.0/15)"],
    ["198.51.100.1", "documentation (198.51.100.0/24)"],
    ["203.0.113.1", "documentation (203.0.113.0/24)"],
    ["224.0.0.1", "multicast (224.0.0.0/4)"],
    ["239.255.255.255", "multicast (224.0.0.0/4)"],
    ["240.0.0.1", "reserved (240.0.0.0/4)"],
    ["255.255.255.255", "broadcast (255.255.255.255)"],
    ["::", "unspecified (::)"],
    ["::1", "loopback (::1)"],
    ["0:0:0:0:0:0:0:1", "loopback (::1)"],
    ["::8.8.8.8", "IPv4-compatible (::/96)"],
    ["::127.0.0.1", "IPv4-compatible (::/96)"],
    ["::ffff:127.0.0.1", "a form of 127.0.0.1, loopback (127.0.0.0/8)"],
    ["::ffff:a9fe:a9fe", "a form of 169.254.169.254, link-local, where clouds keep their metadata (169.254.0.0/16)"],
    ["64:ff9b::10.0.0.1", "a form of 10.0.0.1, private (10.0.0.0/8)"],
    ["64:ff9b::7f00:1", "a form of 127.0.0.1, loopback (127.0.0.0/8)"],
    ["64:ff9b:1::8.8.8.8", "local NAT64 (64:ff9b:1::/48)"],
    ["100::1", "discard-only (100::/64)"],
    ["2001::1", "reserved for protocols (2001::/23)"],
    ["2001:1ff::1", "reserved for protocols (2001::/23)"],
    ["2001:db8::1", "documentation (2001:db8::/32)"],
    ["2002:a00:1::1", "a form of 10.0.0.1, private (10.0.0.0/8)"],
    ["2002:7f00:1::", "a form of 127.0.0.1, loopback (127.0.0.0/8)"],
    ["3fff::1", "documentation (3fff::/20)"],
    ["fc00::1", "private (fc00::/7)"],
    ["fd00:ec2::254", "private (fc00::/7)"],
    ["fe80::1", "link-local (fe80::/10)"],
    ["febf::1", "link-local (fe80::/10)"],
    ["ff02::1", "multicast (ff00::/8)"],
    ["fec0::1", "not global unicast (outside 2000::/3)"],
    ["::ffff:0:127.0.0.1", "not global unicast (outside 2000::/3)"],
    ["5f00::1", "not global unicast (outside 2000::/3)"],
  ])("%s, which is %s", (address, reason) => {
    expect(forbiddenReason(address, [])).toBe(`${address} is ${reason}`);
  });

  test.each([
    "",
    "localhost",
    "127.1",
    "0x7f.0.0.1",
    "2130706433",
    "010.0.0.1",
    "[::1]",
    "8.8.8.8/32",
    " 8.8.8.8",
    "fe80::1%eth0",
    "2606:4700::1%1",
    "8.8.8.8:443",
  ])("%p, which is not one plain address, even when everything is allowed", (text) => {
    expect(forbiddenReason(text, ranges("0.0.0.0/0", "::/0"))).toBe(`${JSON.stringify(text)} is not an IP address`);
  });
});

describe("a hook added at run time may reach", () => {
  test.each([
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "168.63.129.17",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2001:db9::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
  ])("%s", (address) => {
    expect(forbiddenReason(address, [])).toBeUndefined();
  });
});

describe("what the operator allows", () => {
  test.each([
    ["10.0.0.0/8", "10.1.2.3"],
    ["127.0.0.1", "127.0.0.1"],
    ["10.0.0.0/8", "::ffff:10.1.2.3"],
    ["10.0.0.0/8", "::ffff:a01:203"],
    ["fd00::/8", "fd00::1"],
    ["::1", "::1"],
    ["64:ff9b::/96", "64:ff9b::10.0.0.1"],
    ["::ffff:10.0.0.0/104", "::ffff:10.0.0.1"],
  ])("%s: %s may be reached", (allowed, address) => {
    expect(forbiddenReason(address, ranges("192.168.9.0/24", allowed))).toBeUndefined();
  });

  test.each([
    ["10.0.0.0/16", "10.1.2.3"],
    ["127.0.0.1", "127.0.0.2"],
    ["127.0.0.1", "::1"],
    ["10.0.0.0/8", "64:ff9b::10.1.2.3"],
    ["10.0.0.0/8", "2002:a01:203::1"],
    ["10.0.0.0/8", "::10.1.2.3"],
    ["::ffff:10.0.0.0/104", "10.0.0.1"],
  ])("%s: %s stays forbidden", (allowed, address) => {
    expect(forbiddenReason(address, ranges(allowed))).toStartWith(`${address} is `);
  });
});

describe("for any address", () => {
  test("an IPv4 address and its mapped form have the same verdict", () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(forbiddenReason(`::ffff:${address}`, []) === undefined).toBe(forbiddenReason(address, []) === undefined);
      }),
      { numRuns: 2000 },
    );
  });

  test("an IPv6 address that may be reached is global unicast, or a form of an IPv4 address", () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        if (forbiddenReason(address, []) !== undefined) return;
        expect(normalizeHost(address)).toMatch(/^(?:[23][0-9a-f]{3}:|64:ff9b:|::ffff:)/);
      }),
      { numRuns: 5000 },
    );
  });

  test("any other text is forbidden, and nothing is thrown", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(forbiddenReason(`${text}x`, ranges("0.0.0.0/0", "::/0"))).toContain("is not an IP address");
      }),
    );
  });
});
