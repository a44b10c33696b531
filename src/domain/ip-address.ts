import ipaddr from "ipaddr.js";
import { isIPv4, isIPv6 } from "node:net";

export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * An address as it is written in full: four decimal parts without leading zeros, or IPv6 without brackets and zone.
 * ipaddr.js alone would also take `127.1`, `0x7f.0.0.1` and `010.0.0.1`.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (isIPv4(text)) return ipaddr.IPv4.parse(text);
  if (!isIPv6(text) || text.includes("%")) return undefined;
  return ipaddr.IPv6.parse(withoutDots(text));
}

/**
 * One text for each address: RFC 5952, whose section 5 has the IPv4-mapped block (`::ffff:0:0/96`), and here only that
 * one, end in dotted form.
 */
export function canonicalAddress(address: IpAddress): string {
  if (isV4(address)) return address.toString();
  if (address.isIPv4MappedAddress()) return `::ffff:${address.toIPv4Address().toString()}`;
  return address.toRFC5952String();
}

export const isV4 = (address: IpAddress): address is ipaddr.IPv4 => address.kind() === "ipv4";

/** Writes a dotted end as two groups. ipaddr.js 2.5.0 reads `::192.0.2.1` as `::ffff:192.0.2.1`, another address. */
function withoutDots(text: string): string {
  const start = text.lastIndexOf(":") + 1;
  if (!text.includes(".")) return text;
  const [a = 0, b = 0, c = 0, d = 0] = ipaddr.IPv4.parse(text.slice(start)).octets;
  return `${text.slice(0, start)}${hex(a, b)}:${hex(c, d)}`;
}

const hex = (high: number, low: number): string => ((high << 8) | low).toString(16);
