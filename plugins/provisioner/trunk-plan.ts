import { isJsonObject, type JsonObject } from "../../src/domain/json";
import { difference, type Change, type Differences } from "./change";

/** What of the trunk is ours. */
export type DesiredTrunk = {
  readonly name: string;
  readonly allowedAddresses: readonly string[];
  /** SIP header names, in the operator's spelling. */
  readonly hostHeaders: readonly string[];
};

/** The request that creates the trunk. */
export const newTrunk = ({ name, allowedAddresses, hostHeaders }: DesiredTrunk): JsonObject => ({
  trunk: {
    name,
    allowed_addresses: allowedAddresses,
    headers_to_attributes: mergeHeaders({}, hostHeaders),
  },
});

/**
 * What must be changed on the trunk as LiveKit sent it; undefined when nothing differs. Addresses are compared as a
 * set. Of headers_to_attributes only the entries of `hostHeaders` are ours: others stay, those of a header that is no
 * longer in `hostHeaders` included, because nobody can tell whose they are, and an attribute too many does no harm.
 *
 * LiveKit's `update` has no headers, so their change is a `replace` with the JSON that LiveKit sent and our members in
 * it.
 */
export function planTrunk(desired: DesiredTrunk, id: string, trunk: JsonObject): Change | undefined {
  const addresses = Array.isArray(trunk["allowed_addresses"]) ? trunk["allowed_addresses"] : [];
  const headers = isJsonObject(trunk["headers_to_attributes"]) ? trunk["headers_to_attributes"] : {};
  const merged = mergeHeaders(headers, desired.hostHeaders);

  const differences: Differences = {
    ...(sameSet(addresses, desired.allowedAddresses)
      ? {}
      : { allowed_addresses: difference(addresses, desired.allowedAddresses) }),
    ...Object.fromEntries(
      Object.entries(merged)
        .filter(([header, attribute]) => headers[header] !== attribute)
        .map(([header, attribute]) => [
          `headers_to_attributes.${header}`,
          difference(headers[header] ?? null, attribute),
        ]),
    ),
  };
  const changed = Object.keys(differences);
  if (changed.length === 0) return undefined;
  if (changed.every((field) => field === "allowed_addresses")) {
    const update = { allowed_addresses: { set: desired.allowedAddresses } };
    return { by: "update", request: { sip_trunk_id: id, update }, differences };
  }
  const replace = { ...trunk, allowed_addresses: desired.allowedAddresses, headers_to_attributes: merged };
  return { by: "replace", request: { sip_trunk_id: id, replace }, differences };
}

/**
 * The mapping with an entry `Header: sip.h.header` for each header. Header names are case-insensitive (RFC 3261,
 * section 7.3.1), for livekit-sip too: an entry in another spelling is the same, and is set right under its own
 * spelling.
 */
function mergeHeaders(mapping: JsonObject, hostHeaders: readonly string[]): JsonObject {
  const merged: { [header: string]: unknown } = { ...mapping };
  for (const header of hostHeaders) {
    const attribute = `sip.h.${header.toLowerCase()}`;
    const spellings = Object.keys(merged).filter((other) => other.toLowerCase() === header.toLowerCase());
    if (spellings.some((spelling) => merged[spelling] === attribute)) continue;
    const spelling = spellings.includes(header) ? header : spellings[0];
    merged[spelling ?? header] = attribute;
  }
  return merged;
}

function sameSet(some: readonly unknown[], others: readonly unknown[]): boolean {
  const [a, b] = [new Set(some), new Set(others)];
  return a.size === b.size && a.isSubsetOf(b);
}
