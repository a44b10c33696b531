import { afterEach, describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { createProvisioner, provisioner, type ProvisionerOptions } from "../../../plugins/provisioner";
import { Secret } from "../../../src/domain/secret";
import { ManualClock } from "../../support/manual-clock";
import { silentLog } from "../../support/silent-log";
import { instance, messages, provisioned, RULE, startLiveKit, TRUNK, writes } from "./started-livekit";

describe("a fresh LiveKit", () => {
  test("gets the trunk and the rule as configured", async () => {
    const livekit = await startLiveKit();
    const { provisioner: ran } = await provisioned(livekit, { hostHeaders: ["X-To-IP", "To"] });
    const [trunk] = livekit.state.trunks.values();
    const [rule] = livekit.state.rules.values();
    expect(trunk).toEqual({
      sip_trunk_id: expect.stringMatching(/^ST_/),
      name: TRUNK,
      allowed_addresses: ["203.0.113.0/24", "198.51.100.7"],
      headers_to_attributes: { "X-To-IP": "sip.h.x-to-ip", To: "sip.h.to" },
    });
    expect(rule).toEqual({
      sip_dispatch_rule_id: expect.stringMatching(/^SDR_/),
      name: RULE,
      rule: { dispatch_rule_individual: { room_prefix: "sip-" } },
      trunk_ids: [trunk?.["sip_trunk_id"]],
      room_config: { max_participants: 3 },
      media: {},
    });
    expect(livekit.state.trunks.size + livekit.state.rules.size).toBe(2);
    expect(ran.state()).toEqual({
      kind: "done",
      trunkId: String(trunk?.["sip_trunk_id"]),
      dispatchRuleId: String(rule?.["sip_dispatch_rule_id"]),
    });
  });

  test("is announced and reported in the words that users search for", async () => {
    const started = await provisioned(await startLiveKit());
    expect(messages(started, "info").at(0)).toBe(
      "SIP configuration detected, provisioning LiveKit SIP trunk and dispatch rules",
    );
    expect(messages(started, "info").at(-1)).toBe(
      "Successfully provisioned SIP resources: trunk=sayna-sip--trunk, dispatch=sayna-sip--dispatch",
    );
    expect(messages(started, "warn")).toEqual([]);
  });
});

describe("a start after the first", () => {
  test("changes nothing: it only lists", async () => {
    const livekit = await startLiveKit();
    await provisioned(livekit);
    const before = livekit.requests.length;
    await provisioned(livekit);
    expect(livekit.requests.slice(before).map(({ method }) => method)).toEqual([
      "SIP/ListSIPInboundTrunk",
      "SIP/ListSIPDispatchRule",
    ]);
    expect(writes(livekit)).toEqual(["CreateSIPInboundTrunk", "CreateSIPDispatchRule"]);
  });

  test("changes nothing either when the addresses and headers are only in another order or spelling", async () => {
    const livekit = await startLiveKit();
    await provisioned(livekit, { hostHeaders: ["X-To-IP", "To"] });
    await provisioned(livekit, {
      allowedAddresses: ["198.51.100.7", "203.0.113.0/24", "198.51.100.7"],
      hostHeaders: ["to", "x-to-ip"],
    });
    expect(writes(livekit)).toEqual(["CreateSIPInboundTrunk", "CreateSIPDispatchRule"]);
  });
});

describe("run()", () => {
  test("asks LiveKit once, however often it is called", async () => {
    const livekit = await startLiveKit();
    const { provisioner: ran } = instance(livekit);
    expect(ran.run()).toBe(ran.run());
    await ran.run();
    expect(writes(livekit)).toEqual(["CreateSIPInboundTrunk", "CreateSIPDispatchRule"]);
  });

  test("before it nothing is asked", async () => {
    const livekit = await startLiveKit();
    expect(instance(livekit).provisioner.state()).toEqual({ kind: "idle" });
    expect(livekit.requests).toEqual([]);
  });

  test("takes ws URLs as they are configured", async () => {
    const livekit = await startLiveKit();
    await provisioned(livekit, { url: livekit.url.replace("http", "ws") });
    expect(writes(livekit)).toEqual(["CreateSIPInboundTrunk", "CreateSIPDispatchRule"]);
  });
});

describe("a proxy variable", () => {
  const before = process.env["HTTP_PROXY"];
  afterEach(() => {
    if (before === undefined) delete process.env["HTTP_PROXY"];
    else process.env["HTTP_PROXY"] = before;
  });

  test("is not followed: LiveKit is reached directly", async () => {
    const livekit = await startLiveKit();
    process.env["HTTP_PROXY"] = "http://127.0.0.1:9";
    await provisioned(livekit);
  });
});

const options: ProvisionerOptions = {
  url: "wss://livekit.example.com",
  apiKey: "devkey",
  apiSecret: new Secret("secret"),
  roomPrefix: "sip-",
  allowedAddresses: ["192.0.2.1"],
  maxParticipants: 3,
  hostHeaders: ["To"],
  clock: new ManualClock(),
  log: silentLog,
};

describe("the factory", () => {
  test.each([
    ["an url of another scheme", { url: "livekit:7880" }],
    ["no url", { url: "" }],
    ["no allowed address, which LiveKit takes for every address", { allowedAddresses: [] }],
    ["no host header", { hostHeaders: [] }],
  ])("throws on %s", (_, changes) => {
    expect(() => createProvisioner({ ...options, ...changes })).toThrow(TypeError);
  });

  test("gives an Elysia plugin that brings the provisioner into the context", async () => {
    const plugin = provisioner(options);
    const app = new Elysia().use(plugin).get("/", ({ provisioner: ours }) => ours.state().kind);
    expect(await (await app.handle(new Request("http://localhost/"))).text()).toBe("idle");
    expect(plugin.decorator.provisioner.state()).toEqual({ kind: "idle" });
  });
});
