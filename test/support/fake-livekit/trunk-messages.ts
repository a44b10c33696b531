import { ENCRYPTION, listOf, listUpdate, media, page } from "./common-messages";
import type { Schema } from "./proto-json";

const HEADERS = ["SIP_NO_HEADERS", "SIP_X_HEADERS", "SIP_ALL_HEADERS"];

export const inboundTrunk: Schema = {
  fields: [
    { name: "sip_trunk_id", type: "string" },
    { name: "name", type: "string" },
    { name: "metadata", type: "string" },
    { name: "numbers", type: "strings" },
    { name: "allowed_addresses", type: "strings" },
    { name: "allowed_numbers", type: "strings" },
    { name: "auth_username", type: "string" },
    { name: "auth_password", type: "string" },
    { name: "auth_realm", type: "string" },
    { name: "headers", type: "map" },
    { name: "headers_to_attributes", type: "map" },
    { name: "attributes_to_headers", type: "map" },
    { name: "include_headers", type: { enum: HEADERS } },
    { name: "ringing_timeout", type: "any" },
    { name: "max_call_duration", type: "any" },
    { name: "krisp_enabled", type: "bool" },
    { name: "media_encryption", type: { enum: ENCRYPTION } },
    { name: "media", type: { message: media } },
    { name: "created_at", type: "any" },
    { name: "updated_at", type: "any" },
  ],
};

export const inboundTrunkUpdate: Schema = {
  fields: [
    { name: "numbers", type: { message: listUpdate } },
    { name: "allowed_addresses", type: { message: listUpdate } },
    { name: "allowed_numbers", type: { message: listUpdate } },
    { name: "auth_username", type: "string" },
    { name: "auth_password", type: "string" },
    { name: "auth_realm", type: "string" },
    { name: "name", type: "string" },
    { name: "metadata", type: "string" },
    { name: "media_encryption", type: { enum: ENCRYPTION } },
    { name: "media", type: { message: media } },
  ],
};

/** The answer of DeleteSIPTrunk, in which only the id is ever set. */
export const legacyTrunk: Schema = {
  fields: [
    { name: "sip_trunk_id", type: "string" },
    { name: "kind", type: { enum: ["TRUNK_LEGACY", "TRUNK_INBOUND", "TRUNK_OUTBOUND"] } },
    { name: "inbound_addresses", type: "strings" },
    { name: "outbound_address", type: "string" },
    { name: "outbound_number", type: "string" },
    { name: "transport", type: { enum: ["SIP_TRANSPORT_AUTO"] } },
    { name: "inbound_numbers_regex", type: "strings" },
    { name: "inbound_numbers", type: "strings" },
    { name: "inbound_username", type: "string" },
    { name: "inbound_password", type: "string" },
    { name: "outbound_username", type: "string" },
    { name: "outbound_password", type: "string" },
    { name: "name", type: "string" },
    { name: "metadata", type: "string" },
  ],
};

export const trunkList = listOf(inboundTrunk);

export const listTrunks: Schema = {
  fields: [
    { name: "trunk_ids", type: "strings" },
    { name: "numbers", type: "strings" },
    { name: "page", type: { message: page } },
  ],
};
export const createTrunk: Schema = { fields: [{ name: "trunk", type: { message: inboundTrunk } }] };
export const updateTrunk: Schema = {
  fields: [
    { name: "sip_trunk_id", type: "string" },
    { name: "replace", type: { message: inboundTrunk }, oneof: "action" },
    { name: "update", type: { message: inboundTrunkUpdate }, oneof: "action" },
  ],
};
export const deleteTrunk: Schema = { fields: [{ name: "sip_trunk_id", type: "string" }] };
