import { normalizeHost, type Host } from "./host";

/** The two schemes with a host (RFC 3261 section 19.1). */
const SIP_SCHEME = /^sips?:/i;
/** What a bare `name:digits` could be besides a host with its port (RFC 3966). */
const TEL_SCHEME = /^tel:/i;
/** Line breaks, no-break spaces and the like: a header value has blanks only, and so `trim` takes no more than those. */
const ODD_SPACE = /[^\S \t]/;
/** `display <uri> params`, once quoted text is out of the way: one pair of brackets, nothing nested. */
const NAME_ADDR = /^([^<>]*)<([^<>]*)>([^<>]*)$/;
/** RFC 3261 section 25.1: a quoted string, emptied, or tokens. */
const DISPLAY_NAME = /^(?:""|[a-z0-9\-.!%*_+`'~ \t]*)$/i;
/** A comma would begin another address, and To has one only. */
const HEADER_PARAMS = /^(?:;[^,]*)?$/;
/** Without brackets the URI ends at the first `;` and holds neither `,` nor `?` (RFC 3261 section 20.10). */
const ADDR_SPEC = /^([^ \t;,?]*)[ \t]*(?:;[^,@]*)?$/;
/** What no URI has. */
const NOT_IN_URI = /[\s"\p{Cc}]/u;
/** RFC 3261 section 25.1, `userinfo`, and `#`: feature codes such as `*21*5551#` are dialled with it unescaped. */
const USER_INFO = /^[a-z0-9\-_.!~*'()&=+$,;?/#%]+(?::[a-z0-9\-_.!~*'()&=+$,%]*)?$/i;
const BROKEN_ESCAPE = /%(?![0-9a-f]{2})/i;

/** `user` as it is written: escapes are not decoded. Absent where there is none. */
export type SipAddress = { readonly host: Host; readonly user?: string };

/** The host of a To-like header value; see `parseSipAddress`. */
export const hostOfSipAddress = (value: string): Host | undefined => parseSipAddress(value)?.host;

/**
 * Host and user of a To-like header value (RFC 3261 sections 20.10 and 25.1): `["Display" ]<sip:user@host:port;params>;tag=…` as
 * LiveKit writes it, a SIP URI without brackets, or a bare host as proxies write it.
 * The caller wrote the value. Fails closed: what is broken or can be read in two ways is `undefined`, and so is a URI
 * without a host (`tel:`). Text in a display name, a user part or a parameter is never taken. Linear time, never throws.
 */
export function parseSipAddress(value: string): SipAddress | undefined {
  const text = withoutQuotedText(value)?.trim();
  if (text === undefined) return undefined;
  const nameAddr = NAME_ADDR.exec(text);
  if (nameAddr) {
    const [, display = "", uri = "", params = ""] = nameAddr;
    return DISPLAY_NAME.test(display.trim()) && HEADER_PARAMS.test(params.trim()) ? readUri(uri) : undefined;
  }
  if (SIP_SCHEME.test(text)) return readUri(ADDR_SPEC.exec(text)?.[1] ?? "");
  return TEL_SCHEME.test(text) ? undefined : address(normalizeHost(text));
}

function readUri(uri: string): SipAddress | undefined {
  if (!SIP_SCHEME.test(uri) || NOT_IN_URI.test(uri)) return undefined;
  const parts = uri.slice(uri.indexOf(":") + 1).split("@");
  const [first = "", second] = parts;
  // An `@` in a user part, a parameter or a header is escaped (RFC 3261 section 19.1.2): of two, neither can be trusted.
  if (parts.length > 2) return undefined;
  if (second === undefined) return address(hostOfHostPort(first));
  if (!USER_INFO.test(first) || BROKEN_ESCAPE.test(first)) return undefined;
  const [user = ""] = first.split(":", 1);
  return address(hostOfHostPort(second), user);
}

function address(host: Host | undefined, user?: string): SipAddress | undefined {
  if (host === undefined) return undefined;
  return user === undefined ? { host } : { host, user };
}

/** `host[:port]` before the URI's parameters and headers. */
function hostOfHostPort(text: string): Host | undefined {
  const [hostPort = ""] = text.split(/[;?]/, 1);
  // Bare IPv6 is broken here, and its last group could be the port.
  const bareIpv6 = !hostPort.startsWith("[") && hostPort.indexOf(":") !== hostPort.lastIndexOf(":");
  return bareIpv6 ? undefined : normalizeHost(hostPort);
}

/** Empties quoted strings, so that nothing in them counts; undefined when the last one does not end, or for odd spaces. */
function withoutQuotedText(value: string): string | undefined {
  let kept = "";
  let from = 0;
  for (let open = value.indexOf('"'); open !== -1; open = value.indexOf('"', from)) {
    const close = endOfQuotedText(value, open + 1);
    if (close === undefined) return undefined;
    kept += `${value.slice(from, open)}""`;
    from = close + 1;
  }
  kept += value.slice(from);
  return ODD_SPACE.test(kept) ? undefined : kept;
}

function endOfQuotedText(value: string, start: number): number | undefined {
  for (let at = start; at < value.length; at += 1) {
    if (value[at] === '"') return at;
    if (value[at] === "\\") at += 1;
  }
  return undefined;
}
