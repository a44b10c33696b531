import { ENCRYPTION, listOf, listUpdate, media, page } from "./common-messages";
import type { Field, Schema } from "./proto-json";

const room = { oneof: "rule" } as const;
const pin = { name: "pin", type: "string" } as const;
const roomPrefix = { name: "room_prefix", type: "string" } as const;

export const rule: Schema = {
  fields: [
    {
      name: "dispatch_rule_direct",
      type: { message: { fields: [{ name: "room_name", type: "string" }, pin] } },
      ...room,
    },
    {
      name: "dispatch_rule_individual",
      type: { message: { fields: [roomPrefix, pin, { name: "no_randomness", type: "bool" }] } },
      ...room,
    },
    {
      name: "dispatch_rule_callee",
      type: { message: { fields: [roomPrefix, pin, { name: "randomize", type: "bool" }] } },
      ...room,
    },
  ],
};

const roomConfig: Schema = {
  fields: [
    { name: "name", type: "string" },
    { name: "empty_timeout", type: "uint32" },
    { name: "departure_timeout", type: "uint32" },
    { name: "max_participants", type: "uint32" },
    { name: "metadata", type: "string" },
    { name: "egress", type: "any" },
    { name: "min_playout_delay", type: "uint32" },
    { name: "max_playout_delay", type: "uint32" },
    { name: "sync_streams", type: "bool" },
    {
      name: "agents",
      type: {
        list: {
          fields: [
            { name: "agent_name", type: "string" },
            { name: "metadata", type: "string" },
          ],
        },
      },
    },
    { name: "tags", type: "map" },
  ],
};

export const dispatchRule: Schema = {
  fields: [
    { name: "sip_dispatch_rule_id", type: "string" },
    { name: "rule", type: { message: rule } },
    { name: "trunk_ids", type: "strings" },
    { name: "hide_phone_number", type: "bool" },
    { name: "inbound_numbers", type: "strings" },
    { name: "numbers", type: "strings" },
    { name: "name", type: "string" },
    { name: "metadata", type: "string" },
    { name: "attributes", type: "map" },
    { name: "room_preset", type: "string" },
    { name: "room_config", type: { message: roomConfig } },
    { name: "media", type: { message: media } },
    { name: "krisp_enabled", type: "bool" },
    { name: "media_encryption", type: { enum: ENCRYPTION } },
    { name: "created_at", type: "any" },
    { name: "updated_at", type: "any" },
  ],
};

export const dispatchRuleUpdate: Schema = {
  fields: [
    { name: "trunk_ids", type: { message: listUpdate } },
    { name: "rule", type: { message: rule } },
    { name: "name", type: "string" },
    { name: "metadata", type: "string" },
    { name: "attributes", type: "map" },
    { name: "media_encryption", type: { enum: ENCRYPTION } },
    { name: "media", type: { message: media } },
  ],
};

const LEGACY = new Set(
  "rule trunk_ids hide_phone_number inbound_numbers name metadata attributes room_preset room_config".split(" "),
);
const isLegacy = (field: Field): boolean => LEGACY.has(field.name);

export const ruleList = listOf(dispatchRule);

export const listRules: Schema = {
  fields: [
    { name: "dispatch_rule_ids", type: "strings" },
    { name: "trunk_ids", type: "strings" },
    { name: "page", type: { message: page } },
  ],
};
/** Beside `dispatch_rule` stand its members as they were before it; LiveKit's SDK still uses these. */
export const createRule: Schema = {
  fields: [{ name: "dispatch_rule", type: { message: dispatchRule } }, ...dispatchRule.fields.filter(isLegacy)],
};
export const updateRule: Schema = {
  fields: [
    { name: "sip_dispatch_rule_id", type: "string" },
    { name: "replace", type: { message: dispatchRule }, oneof: "action" },
    { name: "update", type: { message: dispatchRuleUpdate }, oneof: "action" },
  ],
};
export const deleteRule: Schema = { fields: [{ name: "sip_dispatch_rule_id", type: "string" }] };
