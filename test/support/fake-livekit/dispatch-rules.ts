import { isJsonObject } from "../../../src/domain/json";
import { sipMethod, type ApiMethod } from "./api-method";
import { checkRules } from "./conflicts";
import { applyListUpdate, invalid, strings, text } from "./list-update";
import * as messages from "./rule-messages";
import type { Json } from "./proto-json";
import { sorted, type MethodContext } from "./state";
import { TwirpFailure } from "./twirp-failure";

const PLAIN = ["rule", "name", "metadata", "media_encryption", "media"];

export const ruleMethods: Readonly<Record<string, ApiMethod>> = {
  "SIP/ListSIPDispatchRule": sipMethod(messages.listRules, messages.ruleList, (_, { state }) => ({
    items: sorted(state.rules),
  })),

  "SIP/CreateSIPDispatchRule": sipMethod(messages.createRule, messages.dispatchRule, async (request, context) => {
    const rule = "dispatch_rule" in request ? part(request, "dispatch_rule", "missing rule") : { ...request };
    if (text(rule, "sip_dispatch_rule_id") !== "") throw invalid("rule id must not be set");
    checkHasRule(rule);
    // LiveKit's `Upgrade` makes an empty one of none.
    if ("dispatch_rule" in request) rule["media"] ??= {};
    checkRules([...sorted(context.state.rules), rule]);
    await context.beforeWrite();
    const id = context.newId("SDR_");
    return store(context, id, { sip_dispatch_rule_id: id, ...rule });
  }),

  "SIP/UpdateSIPDispatchRule": sipMethod(messages.updateRule, messages.dispatchRule, async (request, context) => {
    const id = text(request, "sip_dispatch_rule_id");
    if (id === "") throw invalid("rule id must be set");
    if (!("replace" in request) && !("update" in request)) throw invalid("missing or unsupported update action");
    const stored = find(context, id);
    const rule = "replace" in request ? replaced(request, id) : updated(stored, part(request, "update", ""));
    checkHasRule(rule);
    const trunks = strings(rule, "trunk_ids");
    const concerned = sorted(context.state.rules).filter((other) => {
      const others = strings(other, "trunk_ids");
      return trunks.length === 0 || others.length === 0 || others.some((trunk) => trunks.includes(trunk));
    });
    checkRules(concerned.map((other) => (text(other, "sip_dispatch_rule_id") === id ? rule : other)));
    await context.beforeWrite();
    return store(context, id, rule);
  }),

  "SIP/DeleteSIPDispatchRule": sipMethod(messages.deleteRule, messages.dispatchRule, async (request, context) => {
    const id = text(request, "sip_dispatch_rule_id");
    if (id === "") throw invalid("dispatch rule ID is required");
    const rule = find(context, id);
    await context.beforeWrite();
    context.state.rules.delete(id);
    return rule;
  }),
};

function replaced(request: Json, id: string): Json {
  const rule = part(request, "replace", "missing dispatch rule");
  if (!["", id].includes(text(rule, "sip_dispatch_rule_id"))) {
    throw invalid("rule id in the info must be empty or match the id in the update");
  }
  return { ...rule, sip_dispatch_rule_id: id };
}

function updated(stored: Json, update: Json): Json {
  const rule = structuredClone(stored);
  if ("trunk_ids" in update) applyListUpdate(rule, "trunk_ids", part(update, "trunk_ids", ""));
  for (const field of PLAIN) {
    if (field in update) rule[field] = update[field];
  }
  if (isJsonObject(update["attributes"])) {
    const attributes = isJsonObject(rule["attributes"]) ? rule["attributes"] : {};
    const merged = Object.entries({ ...attributes, ...update["attributes"] });
    rule["attributes"] = Object.fromEntries(merged.filter(([, value]) => value !== ""));
  }
  // LiveKit's `updateMediaConfig` makes an empty one of none.
  rule["media"] ??= {};
  return rule;
}

function checkHasRule(rule: Json): void {
  const kinds = rule["rule"];
  if (!isJsonObject(kinds)) throw invalid("missing rule");
  if (!messages.rule.fields.some((kind) => kind.name in kinds)) throw invalid("unsupported SIP Dispatch Rule: <nil>");
}

function find({ state }: MethodContext, id: string): Json {
  const rule = state.rules.get(id);
  if (rule === undefined) throw new TwirpFailure("not_found", "requested sip dispatch rule does not exist");
  return rule;
}

function part(message: Json, field: string, missing: string): Json {
  const value = message[field];
  if (!isJsonObject(value)) throw invalid(missing);
  return { ...value };
}

function store({ state }: MethodContext, id: string, rule: Json): Json {
  state.rules.set(id, rule);
  return rule;
}
