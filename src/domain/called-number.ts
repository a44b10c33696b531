import type { Attributes } from "./livekit-event";
import { normalizeNumber } from "./phone-number";

/**
 * The number that a SIP participant called; undefined when LiveKit names none that is a number.
 *
 * Recorded from livekit-sip 1.10.0: only what came in by a dispatch rule has its id. An outbound leg's trunk number is the
 * number that it calls from: the tenant's own, which nobody called.
 */
export function calledNumber(attributes: Attributes): string | undefined {
  if (attributes["sip.ruleID"] === undefined) return undefined;
  return normalizeNumber(attributes["sip.trunkPhoneNumber"] ?? "");
}
