import { isJsonObject } from "../../../src/domain/json";
import { invalid, strings, text } from "./list-update";
import type { Json } from "./proto-json";

/**
 * Refuses trunks that conflict, as LiveKit's `ValidateTrunksIter`: two trunks for the same number (or for any) without
 * allowed_numbers, or with a common one.
 */
export function checkTrunks(trunks: readonly Json[]): void {
  const seen = new Map<string, Json>();
  for (const trunk of trunks) {
    for (const number of numbersOf(trunk, "numbers")) {
      for (const caller of numbersOf(trunk, "allowed_numbers")) {
        const other = seen.get(`${number} ${caller}`);
        if (other !== undefined && text(other, "sip_trunk_id") !== text(trunk, "sip_trunk_id")) {
          throw invalid(trunkConflict(trunk, other, caller));
        }
        seen.set(`${number} ${caller}`, trunk);
      }
    }
  }
}

function trunkConflict(trunk: Json, other: Json, caller: string): string {
  const numbers = strings(trunk, "numbers");
  const shown = numbers.length === 0 ? "<any>" : `[${numbers.map((number) => JSON.stringify(number)).join(" ")}]`;
  const end = caller === "" ? "without AllowedNumbers set" : `and AllowedNumber "${caller}"`;
  const [id, otherId] = [idOf(trunk, "sip_trunk_id"), idOf(other, "sip_trunk_id")];
  return `Conflicting inbound SIP Trunks: "${id}" and "${otherId}", using the same number(s) ${shown} ${end}`;
}

/**
 * Refuses rules that conflict, as LiveKit's `DispatchRuleValidator`: the same PIN, trunk, inbound number and number.
 */
export function checkRules(rules: readonly Json[]): void {
  const seen = new Map<string, Json>();
  for (const rule of rules) {
    const trunks = strings(rule, "trunk_ids");
    for (const trunk of trunks.length === 0 ? [""] : trunks) {
      for (const inbound of numbersOf(rule, "inbound_numbers")) {
        for (const number of numbersOf(rule, "numbers")) {
          const key = [pinOf(rule), trunk, inbound, number].join(" ");
          const other = seen.get(key);
          if (other !== undefined) throw invalid(ruleConflict(other));
          seen.set(key, rule);
        }
      }
    }
  }
}

const ruleConflict = (other: Json): string =>
  "Dispatch rule for the same trunk, inbound number, number, and PIN combination already exists in dispatch rule " +
  `"${idOf(other, "sip_dispatch_rule_id")}" "${text(other, "name") || "<blank name>"}"`;

const idOf = (message: Json, field: string): string => text(message, field) || "<new>";

function numbersOf(message: Json, field: string): string[] {
  const numbers = strings(message, field);
  return numbers.length === 0 ? [""] : numbers.map(normalizeNumber);
}

const normalizeNumber = (number: string): string =>
  /^\+?[\d\- ()]+$/.test(number) ? `+${number.replaceAll(/[ ()\-+]/g, "")}` : number;

function pinOf(rule: Json): string {
  const kinds = isJsonObject(rule["rule"]) ? Object.values(rule["rule"]) : [];
  return kinds.map((kind) => (isJsonObject(kind) && typeof kind["pin"] === "string" ? kind["pin"] : "")).join("");
}
