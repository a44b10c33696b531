import { describe, expect, test } from "bun:test";
import { ProvisioningError } from "../../../plugins/provisioner";
import { instance, provisioned, RULE, runToEnd, startLiveKit, writes } from "./started-livekit";

describe("a changed room_prefix", () => {
  test("ends with an error that names the old trunk and the command that removes it", async () => {
    const livekit = await startLiveKit();
    await provisioned(livekit, { roomPrefix: "old-" });
    const [id] = livekit.state.trunks.keys();
    const { error, waited } = await runToEnd(instance(livekit));
    expect(error).toBeInstanceOf(ProvisioningError);
    expect(String(error)).toBe(
      "ProvisioningError: SIP trunk sayna-sip--trunk could not be provisioned: LiveKit refuses it because of the trunk " +
        `sayna-old--trunk (${id}): Conflicting inbound SIP Trunks: "<new>" and "${id}", using the same number(s) <any> ` +
        "without AllowedNumbers set. If it was made for a former room_prefix, remove it; otherwise give it numbers of its " +
        `own. To remove it: lk sip inbound delete ${id}`,
    );
    expect(waited).toEqual([]);
    expect(livekit.state.trunks.size).toBe(1);
  });

  test("takes effect once the old trunk is gone; the old rule is in nobody's way", async () => {
    const livekit = await startLiveKit();
    await provisioned(livekit, { roomPrefix: "old-" });
    livekit.state.trunks.clear();
    await provisioned(livekit);
    const rules = [...livekit.state.rules.values()].map((rule) => rule["name"]);
    expect(rules).toEqual(["sayna-old--dispatch", RULE]);
  });
});

describe("a conflict", () => {
  test("with somebody else's rule on our trunk names that rule", async () => {
    const livekit = await startLiveKit();
    await provisioned(livekit);
    const [id = ""] = livekit.state.rules.keys();
    const rule = livekit.state.rules.get(id);
    if (rule !== undefined) rule["name"] = "renamed";
    const { error } = await runToEnd(instance(livekit));
    expect(String(error)).toContain(
      `LiveKit refuses it because of the dispatch rule renamed (${id}): Dispatch rule for`,
    );
    expect(String(error)).toEndWith(
      `Untie it from our trunk, or remove it. To remove it: lk sip dispatch delete ${id}`,
    );
  });

  test("with a trunk that is gone a moment later is tried again", async () => {
    const livekit = await startLiveKit();
    livekit.state.trunks.set("ST_gone", { sip_trunk_id: "ST_gone", name: "x", allowed_addresses: ["192.0.2.1"] });
    livekit.inject({
      method: "SIP/CreateSIPInboundTrunk",
      at: "answer",
      run: () => {
        livekit.state.trunks.delete("ST_gone");
      },
    });
    await provisioned(livekit);
    expect(writes(livekit).slice(0, 2)).toEqual(["CreateSIPInboundTrunk", "CreateSIPInboundTrunk"]);
    expect(livekit.state.trunks.size).toBe(1);
  });

  test("that nobody in LiveKit's list explains ends with LiveKit's own words", async () => {
    const livekit = await startLiveKit();
    const body = { code: "invalid_argument", msg: "invalid header name" };
    livekit.inject({ method: "SIP/CreateSIPInboundTrunk", times: 2, at: "request", answer: { status: 400, body } });
    const { error, waited } = await runToEnd(instance(livekit));
    expect(String(error)).toContain("LiveKit refuses it: invalid header name. Change what LiveKit complains about");
    expect(waited).toEqual([]);
  });

  test("with a trunk that is deleted while it is changed ends with a new one", async () => {
    const livekit = await startLiveKit();
    await provisioned(livekit);
    livekit.inject({
      method: "SIP/UpdateSIPInboundTrunk",
      at: "request",
      run: () => livekit.state.trunks.clear(),
    });
    await provisioned(livekit, { allowedAddresses: ["192.0.2.1"] });
    expect([...livekit.state.trunks.values()]).toMatchObject([{ allowed_addresses: ["192.0.2.1"] }]);
  });
});

describe("a LiveKit that does not keep what was set", () => {
  test("ends the start with what may be the reason", async () => {
    const livekit = await startLiveKit();
    await provisioned(livekit);
    const forgetful = (): object => ({ ...[...livekit.state.trunks.values()][0] });
    livekit.inject({ method: "SIP/UpdateSIPInboundTrunk", at: "request", answer: { status: 200, body: forgetful() } });
    const { error } = await runToEnd(instance(livekit, { hostHeaders: ["X-To-IP", "To"] }));
    expect(String(error)).toBe(
      "ProvisioningError: SIP trunk sayna-sip--trunk could not be provisioned: LiveKit does not keep " +
        "headers_to_attributes.X-To-IP. Update LiveKit: livekit-server 1.9.1 or newer is needed.",
    );
  });

  test("or in which somebody deletes what is made, ends the start after a few tries", async () => {
    const livekit = await startLiveKit();
    const clear = (): void => livekit.state.trunks.clear();
    livekit.inject({ method: "SIP/ListSIPInboundTrunk", times: Infinity, at: "request", run: clear });
    const { error } = await runToEnd(instance(livekit));
    expect(String(error)).toContain("sayna-sip--trunk could not be provisioned: it disappears as often as it is made.");
    expect(writes(livekit).length).toBe(6);
  });

  test("or in which trunk and rule disappear in turns, ends the start after a few tries", async () => {
    const livekit = await startLiveKit();
    const clear = (): void => livekit.state.trunks.clear();
    livekit.inject({ method: "SIP/ListSIPDispatchRule", times: Infinity, at: "answer", run: clear });
    const { error } = await runToEnd(instance(livekit));
    expect(String(error)).toContain("could not be provisioned: trunk and rule disappear as often as they are made.");
    expect(livekit.requests.length).toBeLessThan(60);
  });

  test("whose answers have another form is found out", async () => {
    const livekit = await startLiveKit();
    livekit.inject({ at: "request", answer: { status: 200, body: { items: [{ name: "without an id" }] } } });
    const { error } = await runToEnd(instance(livekit));
    expect(String(error)).toContain("(ListSIPInboundTrunk gave an answer of an unknown form). Check livekit.url");
    livekit.inject({ method: "SIP/CreateSIPInboundTrunk", at: "request", answer: { status: 200, body: {} } });
    const { error: second } = await runToEnd(instance(livekit));
    expect(String(second)).toContain("(CreateSIPInboundTrunk gave an answer of an unknown form). Check livekit.url");
  });
});
