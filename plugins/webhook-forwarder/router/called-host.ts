import type { Host } from "../../../src/domain/host";
import type { Attributes } from "../../../src/domain/livekit-event";
import { parseSipAddress, type SipAddress } from "../../../src/domain/sip-address";

/** What one of the SIP headers says; `value` is undefined where it is not there, `host` where it does not parse. */
export type HeaderReading = {
  readonly header: string;
  readonly value: string | undefined;
  readonly host: Host | undefined;
};

/** Reads these SIP headers. LiveKit maps a header to the attribute `sip.h.` and its lower-case name. */
export function readHostHeaders(attributes: Attributes, hostHeaders: readonly string[]): readonly HeaderReading[] {
  return hostHeaders.map((header) => {
    const value = attributes[headerAttribute(header)];
    return { header, value, host: value === undefined ? undefined : parseSipAddress(value)?.host };
  });
}

/** The called address, from the first of these SIP headers that is there and parses (routing rule 3). */
export function calledAddress(attributes: Attributes, hostHeaders: readonly string[]): SipAddress | undefined {
  for (const header of hostHeaders) {
    const value = attributes[headerAttribute(header)];
    const address = value === undefined ? undefined : parseSipAddress(value);
    if (address !== undefined) return address;
  }
  return undefined;
}

export const headerAttribute = (header: string): string => `sip.h.${header.toLowerCase()}`;
