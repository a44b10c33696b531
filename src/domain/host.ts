import { domainToASCII } from "node:url";
import { canonicalAddress, isV4, parseIpAddress } from "./ip-address";

declare const brand: unique symbol;

/** A host name or IP address in the one form in which hosts are compared; IPv6 without brackets. */
export type Host = string & { readonly [brand]: "Host" };

/** A host of 253 characters, `.:65535` and room for what a Unicode name loses on its way to A-labels. */
const LONGEST_TEXT = 1024;
/** RFC 1035 section 2.3.4, without the root's dot. */
const LONGEST_NAME = 253;
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** A last label that makes resolvers read the whole name as an IPv4 address (WHATWG URL, "ends in a number"). */
const NUMBER = /^(\d+|0x[0-9a-f]*)$/;
// oxlint-disable-next-line no-control-regex -- the range is ASCII as such
const ASCII = /^[\x00-\x7f]*$/;
/** ASCII characters that no host name has. domainToASCII cuts the text at some of them and decodes `%` (Bun 1.4.5). */
// oxlint-disable-next-line no-control-regex -- control characters are among them
const FOREIGN_ASCII = /[\x00-,/:-@[-^`{-\x7f]/;
/** A hyphen at an end of a label, before the label's A-form hides it (RFC 5891 section 4.2.3.1). */
const HYPHEN_AT_END = /(^|[.\u3002])-|-([.\u3002]|$)/;

/**
 * The host in `text`, which may carry a port (`example.com:5060`, `[2001:db8::1]:5060`) and one trailing dot. IPv6 may be
 * bare, and then has no port. Lower case, IPv6 by RFC 5952, a Unicode name as its A-labels (UTS 46).
 * What is not clearly a host is `undefined`. Fails closed, because a guess would give a call to a tenant that was not
 * called. `normalizeHost(normalizeHost(x))` is `normalizeHost(x)`.
 */
export function normalizeHost(text: string): Host | undefined {
  if (text.length > LONGEST_TEXT) return undefined;
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(text);
  if (bracketed) return isPort(bracketed[2]) ? normalizeIpv6(bracketed[1] ?? "") : undefined;
  const named = /^([^:]*)(?::(\d+))?$/.exec(text);
  if (named) return isPort(named[2]) ? normalizeNameOrIpv4(named[1] ?? "") : undefined;
  return normalizeIpv6(text);
}

/** True for an IPv4 or IPv6 address. */
export const isAddress = (host: Host): boolean => parseIpAddress(host) !== undefined;

const isPort = (digits: string | undefined): boolean => digits === undefined || Number(digits) <= 65_535;

function normalizeIpv6(text: string): Host | undefined {
  const address = parseIpAddress(text);
  return address === undefined || isV4(address) ? undefined : (canonicalAddress(address) as Host);
}

function normalizeNameOrIpv4(text: string): Host | undefined {
  // Only what was written as an address is one: UTS 46 turns full-width digits into ASCII ones.
  if (!ASCII.test(text)) return normalizeUnicodeName(text);
  const name = withoutDot(text.toLowerCase());
  return isName(name) || parseIpAddress(name) ? (name as Host) : undefined;
}

const withoutDot = (name: string): string => (name.endsWith(".") ? name.slice(0, -1) : name);

/**
 * Labels of letters, digits, hyphens and underscores (which SIP hosts do have). An `xn--` label is taken as it stands: DNS
 * and SIP compare its characters, and whether it decodes depends on the runtime's Unicode version, with which a stored
 * host must not come and go.
 */
function isName(name: string): boolean {
  if (name.length > LONGEST_NAME) return false;
  const labels = name.split(".");
  return labels.every((label) => LABEL.test(label)) && !NUMBER.test(labels.at(-1) ?? "");
}

function normalizeUnicodeName(text: string): Host | undefined {
  // Compatibility forms hide ASCII characters from a look at the text alone: U+FF05 is `%`, U+FF0A is `*`.
  const plain = text.normalize("NFKC");
  if (FOREIGN_ASCII.test(plain) || HYPHEN_AT_END.test(plain)) return undefined;
  const name = withoutDot(domainToASCII(text));
  return isName(name) ? (name as Host) : undefined;
}
