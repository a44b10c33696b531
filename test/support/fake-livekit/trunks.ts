import { isJsonObject } from "../../../src/domain/json";
import { sipMethod, type ApiMethod } from "./api-method";
import { checkTrunks } from "./conflicts";
import { applyListUpdate, invalid, strings, text } from "./list-update";
import * as messages from "./trunk-messages";
import type { Json } from "./proto-json";
import { sorted, type MethodContext } from "./state";
import { TwirpFailure } from "./twirp-failure";

const LISTS = ["numbers", "allowed_addresses", "allowed_numbers"];
const PLAIN = ["auth_username", "auth_password", "auth_realm", "name", "metadata", "media_encryption", "media"];

export const trunkMethods: Readonly<Record<string, ApiMethod>> = {
  "SIP/ListSIPInboundTrunk": sipMethod(messages.listTrunks, messages.trunkList, (_, { state }) => ({
    items: sorted(state.trunks),
  })),

  "SIP/CreateSIPInboundTrunk": sipMethod(messages.createTrunk, messages.inboundTrunk, async (request, context) => {
    const trunk = part(request, "trunk", "missing trunk");
    if (text(trunk, "sip_trunk_id") !== "") throw invalid("trunk id must not be set");
    checkRestricted(trunk);
    checkTrunks([...sorted(context.state.trunks), trunk]);
    await context.beforeWrite();
    const id = context.newId("ST_");
    return store(context, id, { sip_trunk_id: id, ...trunk });
  }),

  "SIP/UpdateSIPInboundTrunk": sipMethod(messages.updateTrunk, messages.inboundTrunk, async (request, context) => {
    const id = text(request, "sip_trunk_id");
    if (id === "") throw invalid("trunk id must be set");
    if (!("replace" in request) && !("update" in request)) throw invalid("missing or unsupported update action");
    const stored = context.state.trunks.get(id);
    if (stored === undefined) throw new TwirpFailure("not_found", "requested sip trunk does not exist");
    const trunk = "replace" in request ? replaced(request, id) : updated(stored, part(request, "update", ""));
    checkRestricted(trunk);
    checkTrunks(sorted(context.state.trunks).map((other) => (text(other, "sip_trunk_id") === id ? trunk : other)));
    await context.beforeWrite();
    return store(context, id, trunk);
  }),

  "SIP/DeleteSIPTrunk": sipMethod(messages.deleteTrunk, messages.legacyTrunk, async (request, context) => {
    const id = text(request, "sip_trunk_id");
    if (id === "") throw invalid("trunk ID is required");
    await context.beforeWrite();
    context.state.trunks.delete(id);
    return { sip_trunk_id: id };
  }),
};

function replaced(request: Json, id: string): Json {
  const trunk = part(request, "replace", "missing trunk");
  if (![undefined, "", id].includes(text(trunk, "sip_trunk_id"))) {
    throw invalid("trunk id in the info must be empty or match the id in the update");
  }
  return { ...trunk, sip_trunk_id: id };
}

function updated(stored: Json, update: Json): Json {
  const trunk = structuredClone(stored);
  for (const field of LISTS) {
    if (field in update) applyListUpdate(trunk, field, part(update, field, ""));
  }
  for (const field of PLAIN) {
    if (field in update) trunk[field] = update[field];
  }
  // LiveKit's `updateMediaConfig` makes an empty one of none.
  trunk["media"] ??= {};
  return trunk;
}

function checkRestricted(trunk: Json): void {
  const restricted =
    text(trunk, "auth_username") !== "" ||
    text(trunk, "auth_password") !== "" ||
    strings(trunk, "allowed_addresses").length > 0 ||
    strings(trunk, "numbers").length > 0;
  if (!restricted) {
    const fields = "AuthUsername+AuthPassword, AllowedAddresses or Numbers";
    throw invalid(`for security, one of the fields must be set: ${fields}`);
  }
}

function part(message: Json, field: string, missing: string): Json {
  const value = message[field];
  if (!isJsonObject(value)) throw invalid(missing);
  return { ...value };
}

function store({ state }: MethodContext, id: string, trunk: Json): Json {
  state.trunks.set(id, trunk);
  return trunk;
}
