import type { SipItem } from "../../plugins/provisioner";
import type { ProvisioningSettings } from "../../plugins/provisioner";
import { problem, type Finding } from "./finding";
import { headersNotMapped } from "./judge-our-sip";
import { nameOf, roomsOf, strings, unmappedHeaders } from "./sip-settings";

/**
 * With `sip.provision: false` trunk and rule are somebody else's, of any name: judged by what they do. A rule must make rooms
 * of our prefix, and the trunks that it is tied to must pass on what hosts are read from.
 */
export function judgeForeignSip(
  { roomPrefix, hostHeaders }: ProvisioningSettings,
  trunks: readonly SipItem[],
  rules: readonly SipItem[],
): readonly Finding[] {
  const makers = rules.filter((rule) => roomsOf(rule)?.begin.startsWith(roomPrefix) === true);
  if (makers.length === 0) {
    return [
      problem("trunk and rule", "rule_missing", {
        what: `No dispatch rule of LiveKit's makes rooms whose names begin with ${roomPrefix}.`,
        why: "Only such rooms are SIP calls here; events of others are not kept.",
        mend: "Whoever sets up LiveKit's SIP must give a rule that prefix; or set sip.provision (SIP_PROVISION) to true.",
      }),
    ];
  }
  const tied = new Set(makers.flatMap((rule) => strings(rule.json, "trunk_ids")));
  const open = makers.some((rule) => strings(rule.json, "trunk_ids").length === 0);
  const concerned = trunks.filter(({ id }) => open || tied.has(id));
  if (concerned.length === 0) {
    return [
      problem("trunk and rule", "trunk_missing", {
        what: `The dispatch rule ${makers.map(nameOf).join(", ")} is tied to no trunk that there is.`,
        why: "No call comes in by it.",
        mend: "Whoever sets up LiveKit's SIP must make a trunk and tie the rule to it; or set sip.provision to true.",
      }),
    ];
  }
  return concerned.flatMap((trunk) => {
    const headers = unmappedHeaders(trunk, hostHeaders);
    if (headers.length === 0) return [];
    const entries = headers.map((header) => `"${header}": "sip.h.${header.toLowerCase()}"`).join(", ");
    return [headersNotMapped(`The trunk ${nameOf(trunk)}`, headers, `Add to its headers_to_attributes: {${entries}}`)];
  });
}
