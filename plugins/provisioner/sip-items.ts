import { isJsonObject, type JsonObject } from "../../src/domain/json";

/** The methods and members of one kind of resource in LiveKit's API, and the command that deletes one. */
export type SipApi = {
  readonly list: string;
  readonly create: string;
  readonly update: string;
  readonly remove: string;
  readonly idMember: string;
  /** Of LiveKit's command line tool, `lk`; the id follows. */
  readonly deleteCommand: string;
  /** What to do about another one that stands in the way; the command follows. */
  readonly conflictHint: string;
};

export const trunkApi: SipApi = {
  list: "ListSIPInboundTrunk",
  create: "CreateSIPInboundTrunk",
  update: "UpdateSIPInboundTrunk",
  remove: "DeleteSIPTrunk",
  idMember: "sip_trunk_id",
  deleteCommand: "lk sip inbound delete",
  conflictHint:
    "If it was made for a former room_prefix, remove it; otherwise give it numbers of its own. To remove it",
};

export const ruleApi: SipApi = {
  list: "ListSIPDispatchRule",
  create: "CreateSIPDispatchRule",
  update: "UpdateSIPDispatchRule",
  remove: "DeleteSIPDispatchRule",
  idMember: "sip_dispatch_rule_id",
  deleteCommand: "lk sip dispatch delete",
  conflictHint: "Untie it from our trunk, or remove it. To remove it",
};

/** A trunk or rule: what is read of it here, and the JSON as LiveKit sent it. */
export type SipItem = { readonly id: string; readonly name: string; readonly json: JsonObject };

/** One item; undefined when the JSON is none. */
export function readItem(api: SipApi, json: unknown): SipItem | undefined {
  if (!isJsonObject(json)) return undefined;
  const { [api.idMember]: id, name } = json;
  if (typeof id !== "string" || id === "") return undefined;
  return { id, name: typeof name === "string" ? name : "", json };
}

/** The items of a list's answer in the order of their ids; undefined when it is no such answer. */
export function readItems(api: SipApi, body: JsonObject): readonly SipItem[] | undefined {
  const listed: unknown = body["items"] ?? [];
  if (!Array.isArray(listed)) return undefined;
  const items = listed.map((json) => readItem(api, json));
  if (!items.every((item) => item !== undefined)) return undefined;
  return items.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
