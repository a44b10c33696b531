import { describe, expect, test } from "bun:test";
import { isJsonObject } from "../../../src/domain/json";
import type { FakeLiveKit, Json } from "../../support/fake-livekit";
import { messages, provisioned, RULE, startLiveKit, TRUNK, writes } from "./started-livekit";

/** What others may have set on our trunk and rule: known fields, and ones that no SDK knows. */
const OTHERS_ON_TRUNK: Json = {
  metadata: "theirs",
  auth_username: "carrier",
  auth_password: "trunk-password-of-somebody",
  headers: { "X-Static": "1" },
  include_headers: "SIP_X_HEADERS",
  krisp_enabled: true,
  ringing_timeout: "30s",
  media: { only_listed_codecs: true, codecs: [{ name: "PCMU", rate: 8000 }] },
  invented: { deep: ["value", 1, null] },
};
const OTHERS_ON_RULE: Json = {
  metadata: "theirs",
  attributes: { tenant: "x" },
  hide_phone_number: true,
  invented: { deep: ["value", 1, null] },
};

const first = (stored: Map<string, Json>) => (): Json => [...stored.values()][0] ?? {};

async function startedBefore(): Promise<{ livekit: FakeLiveKit; trunk: () => Json; rule: () => Json }> {
  const livekit = await startLiveKit();
  await provisioned(livekit);
  const [trunk, rule] = [first(livekit.state.trunks), first(livekit.state.rules)];
  Object.assign(trunk(), OTHERS_ON_TRUNK);
  Object.assign(rule(), OTHERS_ON_RULE);
  const config = rule()["room_config"];
  rule()["room_config"] = {
    ...(isJsonObject(config) ? config : {}),
    departure_timeout: 20,
    agents: [{ agent_name: "a" }],
    invented: true,
  };
  return { livekit, trunk, rule };
}

const lastWrite = (livekit: FakeLiveKit): unknown =>
  livekit.requests.findLast(({ method }) => /Update/.test(method))?.request;

describe("a changed configuration", () => {
  test("allowed_addresses take effect by update", async () => {
    const { livekit, trunk } = await startedBefore();
    const before = structuredClone(trunk());
    await provisioned(livekit, { allowedAddresses: ["2001:db8::/32"] });
    expect(lastWrite(livekit)).toEqual({
      sip_trunk_id: String(before["sip_trunk_id"]),
      update: { allowed_addresses: { set: ["2001:db8::/32"] } },
    });
    expect(trunk()).toEqual({ ...before, allowed_addresses: ["2001:db8::/32"] });
  });

  test("host_headers take effect by replace, with everything else as LiveKit sent it", async () => {
    const { livekit, trunk } = await startedBefore();
    const before = structuredClone(trunk());
    await provisioned(livekit, { hostHeaders: ["X-To-IP", "To"], allowedAddresses: ["192.0.2.1"] });
    expect(lastWrite(livekit)).toMatchObject({ replace: OTHERS_ON_TRUNK });
    expect(trunk()).toMatchObject({
      ...before,
      allowed_addresses: ["192.0.2.1"],
      headers_to_attributes: { To: "sip.h.to", "X-To-IP": "sip.h.x-to-ip" },
    });
    expect(writes(livekit).slice(2)).toEqual(["UpdateSIPInboundTrunk"]);
  });

  test("max_participants takes effect by replace, with everything else as LiveKit sent it", async () => {
    const { livekit, rule } = await startedBefore();
    const before = structuredClone(rule());
    await provisioned(livekit, { maxParticipants: 5 });
    expect(lastWrite(livekit)).toMatchObject({ replace: OTHERS_ON_RULE });
    expect(rule()).toMatchObject({
      ...before,
      room_config: { max_participants: 5, departure_timeout: 20, agents: [{ agent_name: "a" }], invented: true },
    });
    expect(writes(livekit).slice(2)).toEqual(["UpdateSIPDispatchRule"]);
  });

  test("is changed once: the next start only lists", async () => {
    const { livekit } = await startedBefore();
    const changes = { allowedAddresses: ["192.0.2.9"], maxParticipants: 9, hostHeaders: ["X-To-IP"] };
    await provisioned(livekit, changes);
    const before = writes(livekit).length;
    await provisioned(livekit, changes);
    expect(writes(livekit).slice(before)).toEqual([]);
  });

  test("is logged with what differs, and with nothing of what others have set", async () => {
    const { livekit } = await startedBefore();
    const { log } = await provisioned(livekit, {
      allowedAddresses: ["192.0.2.9"],
      maxParticipants: 9,
      hostHeaders: ["X-To-IP"],
    });
    expect(log.lines.filter(({ message }) => message.includes("differs")).map(({ fields }) => fields)).toEqual([
      {
        resource: TRUNK,
        by: "replace",
        differences: {
          allowed_addresses: { from: ["203.0.113.0/24", "198.51.100.7"], to: ["192.0.2.9"] },
          "headers_to_attributes.X-To-IP": { from: null, to: "sip.h.x-to-ip" },
        },
      },
      { resource: RULE, by: "replace", differences: { "room_config.max_participants": { from: 3, to: 9 } } },
    ]);
    expect(log.text()).not.toContain("trunk-password-of-somebody");
  });
});

describe("headers_to_attributes", () => {
  test.each<[string, string[], Json, Json]>([
    ["an entry of ours with another attribute is set right", ["To"], { To: "other" }, { To: "sip.h.to" }],
    ["an entry in another spelling is the same header", ["To"], { TO: "other" }, { TO: "sip.h.to" }],
    [
      "of two spellings the configured one is set right",
      ["To"],
      { to: "theirs", To: "other" },
      { to: "theirs", To: "sip.h.to" },
    ],
    [
      "another header's entry stays",
      ["To"],
      { "X-Theirs": "their.attribute" },
      { "X-Theirs": "their.attribute", To: "sip.h.to" },
    ],
    [
      "an entry that is no longer needed stays",
      ["To"],
      { "X-To-IP": "sip.h.x-to-ip", To: "" },
      { "X-To-IP": "sip.h.x-to-ip", To: "sip.h.to" },
    ],
  ])("%s", async (_, hostHeaders, stored, expected) => {
    const { livekit, trunk } = await startedBefore();
    trunk()["headers_to_attributes"] = stored;
    await provisioned(livekit, { hostHeaders });
    expect(trunk()["headers_to_attributes"]).toEqual(expected);
  });
});

describe("a dispatch rule of our name that was changed", () => {
  test("gets our trunk beside the others that it has, by update", async () => {
    const { livekit, trunk, rule } = await startedBefore();
    const before = structuredClone(rule());
    rule()["trunk_ids"] = ["ST_theirs"];
    await provisioned(livekit);
    const id = String(trunk()["sip_trunk_id"]);
    expect(rule()).toEqual({ ...before, trunk_ids: ["ST_theirs", id] });
    expect(lastWrite(livekit)).toMatchObject({ update: { trunk_ids: { add: [id] } } });
  });

  test("without any trunk, which lets every address in, is tied to ours", async () => {
    const { livekit, trunk, rule } = await startedBefore();
    delete rule()["trunk_ids"];
    await provisioned(livekit);
    expect(rule()["trunk_ids"]).toEqual([trunk()["sip_trunk_id"]]);
  });

  test.each<[string, Json, Json]>([
    [
      "another prefix",
      { dispatch_rule_individual: { room_prefix: "x-", pin: "12", no_randomness: true } },
      { dispatch_rule_individual: { room_prefix: "sip-", pin: "12", no_randomness: true } },
    ],
    [
      "another kind, whose PIN stays",
      { dispatch_rule_callee: { room_prefix: "sip-", pin: "1234", randomize: true } },
      { dispatch_rule_individual: { room_prefix: "sip-", pin: "1234" } },
    ],
    [
      "one fixed room",
      { dispatch_rule_direct: { room_name: "lobby" } },
      { dispatch_rule_individual: { room_prefix: "sip-" } },
    ],
    [
      "members that nobody knows",
      { dispatch_rule_individual: { room_prefix: "x-", invented: 1 }, invented: 2 },
      { dispatch_rule_individual: { room_prefix: "sip-", invented: 1 }, invented: 2 },
    ],
  ])("gets its kind and prefix back by update: %s", async (_, stored, expected) => {
    const { livekit, rule } = await startedBefore();
    rule()["rule"] = stored;
    const { log } = await provisioned(livekit);
    expect(rule()["rule"]).toMatchObject(expected);
    expect(Object.keys(rule()["rule"] ?? {}).toSorted()).toEqual(Object.keys(expected).toSorted());
    expect(lastWrite(livekit)).toMatchObject({ update: { rule: expected } });
    expect(log.text()).not.toContain("1234");
  });
});

describe("a dispatch rule of somebody else", () => {
  test("that is tied to no trunk is left alone, with a warning that names it", async () => {
    const livekit = await startLiveKit();
    const open = { sip_dispatch_rule_id: "SDR_open", name: "catch-all", rule: { dispatch_rule_direct: { pin: "1" } } };
    livekit.state.rules.set("SDR_open", open);
    livekit.state.rules.set("SDR_tied", { ...open, sip_dispatch_rule_id: "SDR_tied", trunk_ids: ["ST_theirs"] });
    const started = await provisioned(livekit);
    expect(messages(started, "warn")).toEqual([
      "The dispatch rule catch-all (SDR_open) is tied to no trunk: it takes calls from addresses that " +
        "allowed_addresses forbids. Give it trunk_ids, or remove it: lk sip dispatch delete SDR_open",
    ]);
    expect(livekit.state.rules.get("SDR_open")).toEqual(open);
  });
});
