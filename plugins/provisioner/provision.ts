import { ensureResource, type Ensured, type Wanted } from "./ensure-resource";
import type { LiveKitSip } from "./patient-call";
import { ProvisioningError } from "./provisioning-error";
import { newRule, planRule } from "./rule-plan";
import { ruleApi, trunkApi, type SipItem } from "./sip-items";
import { newTrunk, planTrunk } from "./trunk-plan";

export type ProvisioningSettings = {
  readonly roomPrefix: string;
  readonly allowedAddresses: readonly string[];
  readonly maxParticipants: number;
  /** SIP headers that the host is read from; the trunk makes an attribute of each. */
  readonly hostHeaders: readonly string[];
};

export type Provisioned = { readonly trunkId: string; readonly dispatchRuleId: string };

export const trunkName = (roomPrefix: string): string => `sayna-${roomPrefix}-trunk`;
export const dispatchRuleName = (roomPrefix: string): string => `sayna-${roomPrefix}-dispatch`;

const MAX_PASSES = 6;

/** The trunk as it is to be. */
export function wantedTrunk(settings: ProvisioningSettings): Wanted {
  const desired = { ...settings, name: trunkName(settings.roomPrefix) };
  return {
    resource: { kind: "trunk", name: desired.name },
    api: trunkApi,
    newRequest: newTrunk(desired),
    plan: (item) => planTrunk(desired, item.id, item.json),
  };
}

/** The dispatch rule as it is to be, tied to this trunk. */
export function wantedRule({ roomPrefix, maxParticipants }: ProvisioningSettings, trunkId: string): Wanted {
  const desired = { name: dispatchRuleName(roomPrefix), trunkId, roomPrefix, maxParticipants };
  return {
    resource: { kind: "dispatch rule", name: desired.name },
    api: ruleApi,
    newRequest: newRule(desired),
    plan: (item) => planRule(desired, item.id, item.json),
  };
}

/**
 * Makes trunk and dispatch rule be there as configured, and looks again until a pass finds both simply there: an
 * instance that starts at the same time may have withdrawn the trunk that this one's rule was tied to.
 *
 * @throws {ProvisioningError}
 */
export async function provision(settings: ProvisioningSettings, livekit: LiveKitSip): Promise<Provisioned> {
  const trunkToBe = wantedTrunk(settings);

  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const trunk = await ensureResource(trunkToBe, livekit);
    const rule = await ensureResource(wantedRule(settings, trunk.id), livekit);
    if (trunk.disturbed || rule.disturbed) continue;
    warnOfOpenRules(rule, livekit);
    return { trunkId: trunk.id, dispatchRuleId: rule.id };
  }
  throw new ProvisioningError(trunkToBe.resource, {
    cause: "trunk and rule disappear as often as they are made",
    hint: "Find out what other program changes LiveKit's SIP settings.",
  });
}

/**
 * A rule without trunks takes what no trunk took, calls from outside allowed_addresses included (livekit/sip issue
 * 460). It is somebody else's, so it is left alone.
 */
function warnOfOpenRules({ id, items }: Ensured, { log }: LiveKitSip): void {
  for (const item of items) {
    if (item.id === id || !hasNoTrunks(item)) continue;
    log.warn(
      { dispatch_rule: item.name, dispatch_rule_id: item.id },
      `The dispatch rule ${item.name || "without a name"} (${item.id}) is tied to no trunk: it takes calls from addresses ` +
        "that allowed_addresses forbids. Give it trunk_ids, or remove it: " +
        `${ruleApi.deleteCommand} ${item.id}`,
    );
  }
}

/** A rule that takes what no trunk took. */
export const hasNoTrunks = ({ json: { trunk_ids: ids } }: SipItem): boolean => !Array.isArray(ids) || ids.length === 0;
