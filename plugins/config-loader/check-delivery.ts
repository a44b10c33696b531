import { Value } from "@sinclair/typebox/value";
import { policyFaults, type SettingName } from "../../src/domain/check-policy";
import { effectivePolicy, type DeliveryPolicy } from "../../src/domain/delivery-policy";
import { fromSettings } from "../../src/domain/delivery-settings";
import { DeliverySchema, HookDeliverySchema } from "./delivery-schema";
import { child, itemsAt, label, parentOf, valueAt, type Pointer } from "./pointer";
import type { Report } from "./report";

const FOR_ALL = "/sip/delivery";

/** What the settings of the policies, the one for all and the hooks' own, must be to each other. */
export function checkDelivery(tree: unknown, report: Report): void {
  const value = valueAt(tree, FOR_ALL);
  // With a problem in one of them there is nothing yet to compare.
  if (!Value.Check(DeliverySchema, value)) return;
  const { max_age: maxAge, ...rest } = Value.Decode(DeliverySchema, value);
  const forAll: DeliveryPolicy = { ...rest, maxAge };
  reportFaults(forAll, (setting) => child(FOR_ALL, setting), report);
  for (const hook of itemsAt(tree, "/sip/hooks")) checkOwn(forAll, child(hook.at, "delivery"), tree, report);
}

function checkOwn(forAll: DeliveryPolicy, at: Pointer, tree: unknown, report: Report): void {
  const value = valueAt(tree, at);
  if (!Value.Check(HookDeliverySchema, value)) return;
  const own = fromSettings(Value.Decode(HookDeliverySchema, value));
  // An expiry for all that is longer than the hook's own max_age does no harm: the shorter one counts.
  const policy = { ...effectivePolicy(forAll, own), expiry: own.expiry ?? [] };
  reportFaults(policy, (setting) => (Object.hasOwn(value, setting) ? child(at, setting) : undefined), report);
}

/** @param placeOf where a setting was given; undefined when it is that of all, whose own faults are reported there. */
function reportFaults(
  policy: DeliveryPolicy,
  placeOf: (setting: SettingName) => Pointer | undefined,
  report: Report,
): void {
  for (const { at, settings, message, hint } of policyFaults(policy)) {
    const [setting, ...rest] = at;
    const given = [setting, ...settings].flatMap((name) => placeOf(name) ?? [])[0];
    if (given === undefined) continue;
    const place = placeOf(setting) === undefined ? given : rest.reduce<Pointer>(child, given);
    report.add(place, message(label(parentOf(given) ?? "")), hint);
  }
}
