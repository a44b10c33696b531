import type { SipItem } from "../../plugins/provisioner";
import { hasNoTrunks } from "../../plugins/provisioner";
import { problem, warning, type Finding, type FindingText } from "./finding";
import { OPEN_RULE } from "./judge-our-sip";
import { nameOf, roomsOf, strings } from "./sip-settings";

export type OthersSip = {
  readonly trunks: readonly SipItem[];
  readonly rules: readonly SipItem[];
  /** Ids of the trunk and the rule that calls are to come by. */
  readonly trunkIds: readonly string[];
  readonly ruleIds: readonly string[];
  /** The number of the call that is asked about, if one is. */
  readonly number: string | undefined;
};

/**
 * Other trunks and rules that take a call before ours do, by LiveKit's MatchTrunk and DispatchRulePriority (livekit/protocol,
 * sip.go): a trunk of the called number comes before one without numbers; of two without numbers that both fit, neither is
 * taken. Of the rules of a trunk those with a PIN, `direct` ones and those for some callers come first.
 */
export function judgeOthersSip({ trunks, rules, trunkIds, ruleIds, number }: OthersSip): readonly Finding[] {
  const otherTrunks = trunks.filter(({ id }) => !trunkIds.includes(id));
  const otherRules = rules.filter(({ id }) => !ruleIds.includes(id));
  return [
    // Without one of ours there is nothing to come before.
    ...(trunkIds.length === 0 ? [] : otherTrunks.flatMap((trunk) => judgeTrunk(trunk, number))),
    ...otherRules.flatMap((rule) => judgeRule(rule, trunkIds)),
  ];
}

function judgeTrunk(trunk: SipItem, number: string | undefined): readonly Finding[] {
  const numbers = strings(trunk.json, "numbers");
  if (numbers.length === 0) return [ambiguousTrunk(trunk)];
  const takesIt = number !== undefined && numbers.map(digits).includes(digits(number));
  if (number !== undefined && !takesIt) return [];
  const text: FindingText = {
    what: `The trunk ${nameOf(trunk)} takes the calls to ${shortList(numbers)} before ours.`,
    why: "LiveKit prefers the trunk that has the called number: those calls go by its rules, and need not come here.",
    mend: `If they are to come here: lk sip inbound delete ${trunk.id}, or take the numbers out of it.`,
  };
  return [
    takesIt
      ? problem("trunk and rule", "other_trunk_first", text)
      : warning("trunk and rule", "other_trunk_first", text),
  ];
}

function ambiguousTrunk(trunk: SipItem): Finding {
  const callers = strings(trunk.json, "allowed_numbers");
  const text: FindingText = {
    what: `The trunk ${nameOf(trunk)} has no numbers, as ours${callers.length === 0 ? "" : `; it is for callers ${shortList(callers)}`}.`,
    why: "A call that both would take is taken by neither: LiveKit refuses it.",
    mend: `Give it numbers of its own, or remove it: lk sip inbound delete ${trunk.id}`,
  };
  return callers.length === 0
    ? problem("trunk and rule", "other_trunk_ambiguous", text)
    : warning("trunk and rule", "other_trunk_ambiguous", text);
}

function judgeRule(rule: SipItem, trunkIds: readonly string[]): readonly Finding[] {
  if (hasNoTrunks(rule)) {
    return [
      warning("trunk and rule", "open_rule", {
        what: `The dispatch rule ${nameOf(rule)} is tied to no trunk.`,
        why: OPEN_RULE,
        mend: `Give it trunk_ids, or remove it: lk sip dispatch delete ${rule.id}`,
      }),
    ];
  }
  const tied = strings(rule.json, "trunk_ids").some((id) => trunkIds.includes(id));
  if (!tied) return [];
  const some = [...strings(rule.json, "inbound_numbers"), ...strings(rule.json, "numbers")];
  const pin = roomsOf(rule)?.pin === true;
  const which =
    some.length > 0 ? `the calls from or to ${shortList(some)}` : pin ? "callers who give its PIN" : "calls";
  const text: FindingText = {
    what: `The dispatch rule ${nameOf(rule)} is tied to our trunk, too, and takes ${which} before ours.`,
    why: "Those calls get rooms by that rule, and need not come here.",
    mend: `Untie it from our trunk, or remove it: lk sip dispatch delete ${rule.id}`,
  };
  return [
    some.length === 0 && !pin
      ? problem("trunk and rule", "other_rule_first", text)
      : warning("trunk and rule", "other_rule_first", text),
  ];
}

/** LiveKit compares numbers without the marks that people put into them. */
const digits = (number: string): string => number.replaceAll(/[^\d]/g, "");

const SHOWN = 5;
const shortList = (texts: readonly string[]): string =>
  texts.length <= SHOWN ? texts.join(", ") : `${texts.slice(0, SHOWN).join(", ")} and ${texts.length - SHOWN} more`;
