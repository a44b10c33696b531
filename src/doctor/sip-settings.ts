import type { SipItem } from "../../plugins/provisioner";
import { isJsonObject, type JsonObject } from "../domain/json";

/** Members of a trunk or rule as LiveKit sends them: absent and empty are the same (protojson). */
export const strings = (json: JsonObject, member: string): readonly string[] => {
  const value = json[member];
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
};

/** `"sales" (ST_…)`, for people. */
export const nameOf = ({ name, id }: SipItem): string => (name === "" ? `without a name (${id})` : `${name} (${id})`);

/** What a rule makes of a call; undefined for a kind that is not known here. */
export function roomsOf(rule: SipItem): { readonly begin: string; readonly pin: boolean } | undefined {
  const kinds = isJsonObject(rule.json["rule"]) ? rule.json["rule"] : {};
  for (const [member, value] of Object.entries(kinds)) {
    if (!member.startsWith("dispatch_rule_") || !isJsonObject(value)) continue;
    const { room_prefix: prefix, room_name: room, pin } = value;
    const begin = [prefix, room].find((text) => typeof text === "string" && text !== "");
    return { begin: typeof begin === "string" ? begin : "", pin: typeof pin === "string" && pin !== "" };
  }
  return undefined;
}

/** The headers of this list that the trunk makes no attribute of, by the name that hosts are read from. */
export function unmappedHeaders({ json }: SipItem, hostHeaders: readonly string[]): readonly string[] {
  if (json["include_headers"] === "SIP_ALL_HEADERS") return [];
  const mapping = isJsonObject(json["headers_to_attributes"]) ? json["headers_to_attributes"] : {};
  const mapped = new Map(Object.entries(mapping).map(([header, attribute]) => [header.toLowerCase(), attribute]));
  return hostHeaders.filter((header) => mapped.get(header.toLowerCase()) !== `sip.h.${header.toLowerCase()}`);
}
