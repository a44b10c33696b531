import { isAddress, normalizeHost, type Host } from "./host";

declare const brand: unique symbol;

/** `*.` and a name of at least two labels: one or more labels before that name. */
export type WildcardPattern = string & { readonly [brand]: "WildcardPattern" };

/** What a hook is entered under: one host, or a wildcard. */
export type HostPattern = Host | WildcardPattern;

/**
 * Reads a hook's host. It is normalised as a called host is (routing rule 4), so a port is dropped: a hook answers for
 * its host on every port. Undefined when it is neither a host nor a wildcard with at least two labels after `*.`.
 */
export function parseHostPattern(text: string): HostPattern | undefined {
  if (!text.startsWith("*.")) return normalizeHost(text);
  const suffix = normalizeHost(text.slice(2));
  if (suffix === undefined || isAddress(suffix) || !suffix.includes(".")) return undefined;
  return wildcard(suffix);
}

export const isWildcard = (pattern: HostPattern): pattern is WildcardPattern => pattern.startsWith("*.");

/** Every wildcard that matches `host`, the longest suffix first. None for an address. */
export function matchingWildcards(host: Host): readonly WildcardPattern[] {
  if (isAddress(host)) return [];
  const labels = host.split(".");
  return labels.slice(1, -1).map((_, index) => wildcard(labels.slice(index + 1).join(".")));
}

/** True when `granted` matches every host that `wanted` matches. `*.a.example` does not match `a.example` itself. */
export function covers(granted: HostPattern, wanted: HostPattern): boolean {
  return granted === wanted || (isWildcard(granted) && wanted.endsWith(granted.slice(1)));
}

const wildcard = (suffix: string): WildcardPattern => `*.${suffix}` as WildcardPattern;
