import type { Host } from "../../../src/domain/host";
import type { Attributes } from "../../../src/domain/livekit-event";
import { hostOfSipAddress } from "../../../src/domain/sip-address";

/**
 * The called host, from the first of these SIP headers that is there and parses (routing rule 3). LiveKit maps a header
 * to the attribute `sip.h.` and its lower-case name.
 */
export function calledHost(attributes: Attributes, hostHeaders: readonly string[]): Host | undefined {
  for (const header of hostHeaders) {
    const value = attributes[`sip.h.${header.toLowerCase()}`];
    const host = value === undefined ? undefined : hostOfSipAddress(value);
    if (host !== undefined) return host;
  }
  return undefined;
}
