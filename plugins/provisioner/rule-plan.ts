import { isJsonObject, type JsonObject } from "../../src/domain/json";
import { difference, type Change, type Differences } from "./change";

/** What of the dispatch rule is ours. */
export type DesiredRule = {
  readonly name: string;
  readonly trunkId: string;
  readonly roomPrefix: string;
  readonly maxParticipants: number;
};

const KIND = "dispatch_rule_individual";

/** The request that creates the rule: a room of its own for each caller. */
export const newRule = ({ name, trunkId, roomPrefix, maxParticipants }: DesiredRule): JsonObject => ({
  dispatch_rule: {
    name,
    rule: { [KIND]: { room_prefix: roomPrefix } },
    trunk_ids: [trunkId],
    room_config: { max_participants: maxParticipants },
  },
});

/**
 * What must be changed on the rule as LiveKit sent it; undefined when nothing differs. Other trunks of the rule, its
 * PIN and the rest of room_config stay.
 *
 * LiveKit's `update` has no room_config, so its change is a `replace` with the JSON that LiveKit sent and our members
 * in it.
 */
export function planRule(desired: DesiredRule, id: string, rule: JsonObject): Change | undefined {
  const trunkIds = Array.isArray(rule["trunk_ids"]) ? rule["trunk_ids"] : [];
  const roomConfig = isJsonObject(rule["room_config"]) ? rule["room_config"] : {};
  const kinds = isJsonObject(rule["rule"]) ? rule["rule"] : {};

  const allTrunkIds = trunkIds.includes(desired.trunkId) ? trunkIds : [...trunkIds, desired.trunkId];
  const individual = isJsonObject(kinds[KIND]) ? kinds[KIND] : undefined;
  const sameKind = individual?.["room_prefix"] === desired.roomPrefix;
  const newKinds = sameKind ? kinds : individualRule(kinds, desired.roomPrefix);

  const differences: Differences = {
    ...(sameKind ? {} : { rule: difference(describe(kinds), describe(newKinds)) }),
    ...(allTrunkIds === trunkIds ? {} : { trunk_ids: difference(trunkIds, allTrunkIds) }),
    ...(roomConfig["max_participants"] === desired.maxParticipants
      ? {}
      : {
          "room_config.max_participants": difference(roomConfig["max_participants"] ?? null, desired.maxParticipants),
        }),
  };
  if (Object.keys(differences).length === 0) return undefined;
  const ties = allTrunkIds === trunkIds ? {} : ({ tiesTrunk: true } as const);
  if ("room_config.max_participants" in differences) {
    const room_config = { ...roomConfig, max_participants: desired.maxParticipants };
    const replace = { ...rule, rule: newKinds, trunk_ids: allTrunkIds, room_config };
    return { by: "replace", request: { sip_dispatch_rule_id: id, replace }, differences, ...ties };
  }
  const update = {
    ...(sameKind ? {} : { rule: newKinds }),
    ...(allTrunkIds === trunkIds ? {} : { trunk_ids: { add: [desired.trunkId] } }),
  };
  return { by: "update", request: { sip_dispatch_rule_id: id, update }, differences, ...ties };
}

/**
 * The rule with the kind made individual. The kinds (`dispatch_rule_…`) are a oneof: the other one goes, but its PIN
 * stays, because without it everybody could call in.
 */
function individualRule(kinds: JsonObject, roomPrefix: string): JsonObject {
  const others = Object.entries(kinds).filter(([member]) => !member.startsWith("dispatch_rule_"));
  const individual = isJsonObject(kinds[KIND]) ? kinds[KIND] : pinOf(kinds);
  return { ...Object.fromEntries(others), [KIND]: { ...individual, room_prefix: roomPrefix } };
}

function pinOf(kinds: JsonObject): JsonObject {
  const pins = Object.values(kinds).map((kind) => (isJsonObject(kind) ? kind["pin"] : undefined));
  const pin = pins.find((value) => typeof value === "string" && value !== "");
  return pin === undefined ? {} : { pin };
}

/** Kind and prefix; a PIN is nobody's business. */
function describe(kinds: JsonObject): string {
  const [kind, value] = Object.entries(kinds).find(([member]) => member.startsWith("dispatch_rule_")) ?? ["none"];
  const { room_prefix: prefix, room_name: room } = isJsonObject(value) ? value : {};
  const target = [prefix, room].find((name) => typeof name === "string") ?? "";
  return `${kind.replace("dispatch_rule_", "")} ${target}`.trim();
}
