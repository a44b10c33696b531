import type { SipConfig } from "../../plugins/config-loader";
import { previewProvisioning, type ListedSip } from "../../plugins/provisioner";
import { ok, skipped, type Finding } from "./finding";
import { judgeForeignSip } from "./judge-foreign-sip";
import { judgeOthersSip } from "./judge-others-sip";
import { judgeOurSip } from "./judge-our-sip";
import { provisioningSettings } from "./provisioning-settings";
import { roomsOf, strings } from "./sip-settings";

type Listed = Extract<ListedSip, { kind: "listed" }>;

/**
 * Compares LiveKit's trunks and rules with what is needed for calls to come here.
 *
 * @param number of the call that is asked about, if one is.
 */
export function checkTrunkAndRule(
  sip: SipConfig,
  listed: Listed | undefined,
  number: string | undefined,
): readonly Finding[] {
  if (listed === undefined) {
    return [skipped("trunk and rule", "LiveKit's trunk and rule cannot be looked at, see above.")];
  }
  const findings = sip.provision ? judgeOurs(sip, listed, number) : judgeForeign(sip, listed, number);
  const bad = findings.some(({ severity }) => severity === "problem");
  return bad ? findings : [ok("trunk and rule", "trunk_and_rule_right", RIGHT), ...findings];
}

const RIGHT = "Calls come in by trunk and rule as configured, with the headers that hosts are read from.";

function judgeOurs(sip: SipConfig, { trunks, rules }: Listed, number: string | undefined): readonly Finding[] {
  const preview = previewProvisioning(provisioningSettings(sip), { trunks, rules });
  const [trunkIds, ruleIds] = [preview.trunk.ids, preview.rule.ids];
  return [...judgeOurSip(preview), ...judgeOthersSip({ trunks, rules, trunkIds, ruleIds, number })];
}

function judgeForeign(sip: SipConfig, { trunks, rules }: Listed, number: string | undefined): readonly Finding[] {
  const makers = rules.filter((rule) => roomsOf(rule)?.begin.startsWith(sip.room_prefix) === true);
  const ruleIds = makers.map(({ id }) => id);
  const trunkIds = makers.flatMap((rule) => strings(rule.json, "trunk_ids"));
  const foreign = judgeForeignSip(provisioningSettings(sip), trunks, rules);
  return [...foreign, ...judgeOthersSip({ trunks, rules, trunkIds, ruleIds, number })];
}
