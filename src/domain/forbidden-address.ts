import ipaddr from "ipaddr.js";
import { contains, parseAddressRange, type AddressRange } from "./address-range";
import { isV4, parseIpAddress, type IpAddress } from "./ip-address";

/** IANA's special-purpose registries (RFC 6890 and its updates), and what clouds answer on. The first match names the reason. */
const FORBIDDEN: ReadonlyArray<readonly [range: string, what: string]> = [
  ["0.0.0.0/8", "this network"],
  ["10.0.0.0/8", "private"],
  ["100.64.0.0/10", "shared with the carrier's NAT"],
  ["127.0.0.0/8", "loopback"],
  ["168.63.129.16", "Azure's platform service"],
  ["169.254.0.0/16", "link-local, where clouds keep their metadata"],
  ["172.16.0.0/12", "private"],
  ["192.0.0.0/24", "reserved for protocols"],
  ["192.0.2.0/24", "documentation"],
  ["192.88.99.0/24", "6to4 relay"],
  ["192.168.0.0/16", "private"],
  ["198.18.0.0/15", "benchmarking"],
  ["198.51.100.0/24", "documentation"],
  ["203.0.113.0/24", "documentation"],
  ["224.0.0.0/4", "multicast"],
  ["255.255.255.255", "broadcast"],
  ["240.0.0.0/4", "reserved"],
  ["::", "unspecified"],
  ["::1", "loopback"],
  ["::/96", "IPv4-compatible"],
  ["64:ff9b:1::/48", "local NAT64"],
  ["100::/64", "discard-only"],
  ["2001::/23", "reserved for protocols"],
  ["2001:db8::/32", "documentation"],
  ["3fff::/20", "documentation"],
  ["fc00::/7", "private"],
  ["fe80::/10", "link-local"],
  ["ff00::/8", "multicast"],
];

/** Blocks whose addresses lead to an IPv4 address, and the byte at which it begins. */
const MAPPED = embedding("::ffff:0:0/96", 12);
const TRANSLATED = [embedding("64:ff9b::/96", 12), embedding("2002::/16", 2)];

const RANGES = FORBIDDEN.map(([text, what]) => ({ range: known(text), what }));
/** All of IPv6 that is handed out as global unicast (RFC 4291 section 2.4, IANA). */
const GLOBAL_IPV6 = known("2000::/3");

/**
 * Why a hook added at run time may not reach this address (delivery rule 9), such as
 * `127.0.0.1 is loopback (127.0.0.0/8)`; undefined when it may. `allowed` wins; an allowed IPv4 range allows the
 * IPv4-mapped form too, which reaches the same host. NAT64 and 6to4 addresses are judged by the IPv4 address in them.
 * Fails closed: what is not one plain address, a zone included, is forbidden.
 */
export function forbiddenReason(address: string, allowed: readonly AddressRange[]): string | undefined {
  const parsed = parseIpAddress(address);
  if (parsed === undefined) return `${JSON.stringify(address.slice(0, 64))} is not an IP address`;
  const why = judge(parsed, allowed);
  return why === undefined ? undefined : `${address} is ${why}`;
}

function judge(address: IpAddress, allowed: readonly AddressRange[]): string | undefined {
  if (allowed.some((range) => contains(range, address))) return undefined;
  const mapped = MAPPED(address);
  if (mapped) return judgeEmbedded(mapped, allowed);
  for (const embedded of TRANSLATED) {
    const inner = embedded(address);
    // An allowed IPv4 network does not cover what a gateway elsewhere makes of the same digits.
    if (inner) return judgeEmbedded(inner, []);
  }
  const found = RANGES.find(({ range }) => contains(range, address));
  if (found) return `${found.what} (${found.range.text})`;
  // Fails closed: nothing legitimate is out there, and IANA may give it a local meaning.
  return isV4(address) || contains(GLOBAL_IPV6, address) ? undefined : "not global unicast (outside 2000::/3)";
}

function judgeEmbedded(inner: ipaddr.IPv4, allowed: readonly AddressRange[]): string | undefined {
  const why = judge(inner, allowed);
  return why === undefined ? undefined : `a form of ${inner.toString()}, ${why}`;
}

/** Finds the IPv4 address in the addresses of a block. */
function embedding(block: string, at: number): (address: IpAddress) => ipaddr.IPv4 | undefined {
  const range = known(block);
  return (address) => (contains(range, address) ? new ipaddr.IPv4(address.toByteArray().slice(at, at + 4)) : undefined);
}

function known(text: string): AddressRange {
  const range = parseAddressRange(text);
  if (range === undefined) throw new Error(`${text} is not an address range`);
  return range;
}
