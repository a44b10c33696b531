import ipaddr from "ipaddr.js";
import { canonicalAddress, isV4, parseIpAddress, type IpAddress } from "./ip-address";

/** One address or a CIDR block. */
export type AddressRange = {
  /** `203.0.113.7`, `203.0.113.0/24`, `2001:db8::/32`: host bits cleared, a full-length prefix left out. */
  readonly text: string;
  readonly network: IpAddress;
  readonly bits: number;
};

/**
 * Reads an address or `address/bits`, written in full: no leading zeros, brackets, zone or spaces. LiveKit checks nothing,
 * and ignores what it cannot read, so that a slip would close the trunk, or open it to everybody.
 * Set host bits are accepted (`10.0.0.1/8` is `10.0.0.0/8`), as Go's `netip.Prefix.Contains`, which LiveKit matches with,
 * looks at the prefix only.
 */
export function parseAddressRange(text: string): AddressRange | undefined {
  const slash = text.indexOf("/");
  const address = parseIpAddress(slash === -1 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const longest = isV4(address) ? 32 : 128;
  const bits = slash === -1 ? longest : parsePrefix(text.slice(slash + 1), longest);
  if (bits === undefined) return undefined;
  const network = networkOf(address, bits);
  const name = canonicalAddress(network);
  return { text: bits === longest ? name : `${name}/${bits}`, network, bits };
}

/**
 * True when `address` is in `range`. IPv4 and IPv6 never match each other, IPv4-mapped addresses included, as in LiveKit;
 * what is no address is in no range.
 */
export function inRange(range: AddressRange, address: string): boolean {
  const parsed = parseIpAddress(address);
  return parsed !== undefined && contains(range, parsed);
}

/** `inRange` for an address that is parsed already. */
export function contains(range: AddressRange, address: IpAddress): boolean {
  return address.kind() === range.network.kind() && address.match(range.network, range.bits);
}

function parsePrefix(text: string, longest: number): number | undefined {
  if (!/^(?:0|[1-9]\d{0,2})$/.test(text)) return undefined;
  const bits = Number(text);
  return bits <= longest ? bits : undefined;
}

function networkOf(address: IpAddress, bits: number): IpAddress {
  const bytes = address.toByteArray().map((byte, index) => {
    const kept = Math.min(Math.max(bits - index * 8, 0), 8);
    return byte & (0xff << (8 - kept)) & 0xff;
  });
  return ipaddr.fromByteArray(bytes);
}
