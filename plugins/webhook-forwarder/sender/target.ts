import { isIP } from "node:net";

/** Where an attempt goes, read from the hook's URL. */
export type Target = {
  /** As it is looked up or connected to: no brackets around IPv6, a trailing dot kept. */
  readonly host: string;
  readonly port: number;
  /** Path and query. */
  readonly path: string;
  /**
   * The name in the handshake and the one that the certificate must have. Always given: without it node:https takes both
   * from a `Host` header. Empty for an address, which RFC 6066 section 3 keeps out of SNI; the certificate is then
   * compared with `host`. Without the trailing dot, by the same section.
   */
  readonly servername: string;
  /** The host is an address: nothing is looked up. */
  readonly isAddress: boolean;
};

/**
 * Reads an `https:` URL; undefined for any other. The URL parser has already written every form of an IPv4 address
 * (`2130706433`, `0x7f.1`, `0177.0.0.1`) as four decimal parts.
 */
export function parseTarget(url: string): Target | undefined {
  const parsed = URL.parse(url);
  if (parsed?.protocol !== "https:") return undefined;
  const host = parsed.hostname.replace(/^\[(.*)\]$/, "$1");
  const isAddress = isIP(host) !== 0;
  return {
    host,
    port: parsed.port === "" ? 443 : Number(parsed.port),
    path: parsed.pathname + parsed.search,
    servername: isAddress ? "" : host.replace(/\.$/, ""),
    isAddress,
  };
}
