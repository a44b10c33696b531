import { isJsonObject, type JsonObject } from "../../src/domain/json";
import { difference, type Differences } from "./change";
import type { Wanted } from "./ensure-resource";
import type { Resource } from "./provisioning-error";
import { wantedRule, wantedTrunk, type ProvisioningSettings } from "./provision";
import type { SipItem } from "./sip-items";

/** What provisioning would do about one trunk or rule. */
export type ResourcePreview = {
  readonly resource: Resource;
  /** LiveKit's ids of those of our name. */
  readonly ids: readonly string[];
  /** `several`: which one stays is not ours to say; calls fail until there is one. */
  readonly state: "missing" | "as configured" | "differs" | "several";
  /** Of what is missing, all that is ours, from null. */
  readonly differences: Differences;
};

export type Preview = { readonly trunk: ResourcePreview; readonly rule: ResourcePreview };

/** The rule's trunk, as long as there is none. */
export const NEW_TRUNK = "(the new trunk)";

/** Compares what LiveKit has with what is configured, by the plans that provisioning goes by. Nothing is asked or changed. */
export function previewProvisioning(
  settings: ProvisioningSettings,
  { trunks, rules }: { readonly trunks: readonly SipItem[]; readonly rules: readonly SipItem[] },
): Preview {
  const trunk = preview(wantedTrunk(settings), trunks);
  return { trunk, rule: preview(wantedRule(settings, trunk.ids[0] ?? NEW_TRUNK), rules) };
}

function preview({ resource, newRequest, plan }: Wanted, items: readonly SipItem[]): ResourcePreview {
  const ours = items.filter(({ name }) => name === resource.name);
  const ids = ours.map(({ id }) => id);
  const [first, second] = ours;
  if (first === undefined) return { resource, ids, state: "missing", differences: allOf(newRequest) };
  if (second !== undefined) return { resource, ids, state: "several", differences: {} };
  const differences = plan(first)?.differences;
  if (differences === undefined) return { resource, ids, state: "as configured", differences: {} };
  return { resource, ids, state: "differs", differences };
}

/** The members of the request's one message. */
function allOf(request: JsonObject): Differences {
  const [message] = Object.values(request);
  if (!isJsonObject(message)) return {};
  return Object.fromEntries(Object.entries(message).map(([name, value]) => [name, difference(null, value)]));
}
