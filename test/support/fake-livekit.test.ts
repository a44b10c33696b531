import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { AccessToken, RoomServiceClient, SipClient } from "livekit-server-sdk";
import { readFileSync } from "node:fs";
import { isJsonObject, type JsonObject } from "../../src/domain/json";
import { startFakeLiveKit, type FakeLiveKit } from "./fake-livekit";

type Recorded = { label: string; method: string; request: JsonObject; status: number; response: unknown };

const recorded: Recorded[] = readFileSync(new URL("../fixtures/livekit/sip-admin.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

async function token(grant: "sip" | "room" | "none", secret: string, room = ""): Promise<string> {
  const access = new AccessToken("devkey", secret, { ttl: "1m" });
  if (grant === "sip") access.addSIPGrant({ admin: true });
  if (grant === "room") access.addGrant({ roomAdmin: true, room });
  return access.toJwt();
}

function post(livekit: FakeLiveKit, method: string, body: string, bearer: string): Promise<Response> {
  return fetch(`${livekit.url}/twirp/livekit.${method}`, {
    method: "POST",
    headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
    body,
  });
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

async function codeOf(answer: Response): Promise<unknown> {
  const body: unknown = await answer.json();
  return isJsonObject(body) ? body["code"] : body;
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** The ids that LiveKit gave out while it was recorded, in that order. */
function recordedIds(): Record<string, string[]> {
  const ids: Record<string, string[]> = { ST_: [], SDR_: [] };
  for (const { method, status, response } of recorded) {
    if (!method.includes("Create") || status !== 200 || !isJsonObject(response)) continue;
    if (typeof response["sip_trunk_id"] === "string") ids["ST_"]?.push(response["sip_trunk_id"]);
    if (typeof response["sip_dispatch_rule_id"] === "string") ids["SDR_"]?.push(response["sip_dispatch_rule_id"]);
  }
  return ids;
}

describe("the recorded admin API", () => {
  let livekit: FakeLiveKit;
  const ids = recordedIds();
  beforeEach(async () => {
    livekit = await startFakeLiveKit({ newId: (prefix) => ids[prefix]?.shift() ?? `${prefix}unrecorded` });
  });
  afterEach(() => livekit.stop());

  test("every recorded request, sent in order, gets the recorded status and body", async () => {
    for (const { label, method, request, status, response } of recorded) {
      const secret = label === "wrong secret" ? "another-secret-another-secret-00" : livekit.apiSecret;
      const grant = label === "no sip grant" ? "none" : method.startsWith("SIP/") ? "sip" : "room";
      const bearer = await token(grant, secret, typeof request["room"] === "string" ? request["room"] : "");
      const answer = await post(livekit, method, JSON.stringify(request), bearer);
      const text = (await answer.text()).replaceAll(bearer, "TOKEN");
      const expected = typeof response === "string" ? response.replace(/eyJ[\w.-]+(?=,)/, "TOKEN") : response;
      expect({ label, status: answer.status, body: typeof response === "string" ? text : JSON.parse(text) }).toEqual({
        label,
        status,
        body: expected,
      });
    }
    expect(recorded.length).toBe(25);
    expect(livekit.unexpected).toEqual([]);
  });
});

describe("the fake LiveKit", () => {
  let livekit: FakeLiveKit;
  let sip: SipClient;
  let rooms: RoomServiceClient;
  beforeEach(async () => {
    livekit = await startFakeLiveKit();
    sip = new SipClient(livekit.url, livekit.apiKey, livekit.apiSecret);
    rooms = new RoomServiceClient(livekit.url, livekit.apiKey, livekit.apiSecret);
  });
  afterEach(() => livekit.stop());
  const call = async (method: string, request: object): Promise<Response> =>
    post(livekit, method, JSON.stringify(request), await token("sip", livekit.apiSecret));

  test("answers an unknown method with 404 bad_route, and remembers it as unexpected", async () => {
    const answer = await call("SIP/DoSomething", {});
    expect([answer.status, await codeOf(answer)]).toEqual([404, "bad_route"]);
    expect(livekit.unexpected).toEqual(['POST SIP/DoSomething: no handler for path "/twirp/livekit.SIP/DoSomething"']);
  });

  test("remembers a member that LiveKit does not know as unexpected", async () => {
    await call("SIP/CreateSIPInboundTrunk", { trunk: { name: "t", allowed_adresses: ["192.0.2.1"], numbers: ["+1"] } });
    expect(livekit.unexpected).toEqual(["SIP/CreateSIPInboundTrunk: unknown member .trunk.allowed_adresses"]);
  });

  test.each([
    ["a number for a text", "Create", { trunk: { name: 5 } }],
    ["a text for a list", "Create", { trunk: { numbers: "+1" } }],
    ["an unknown enum value", "Create", { trunk: { include_headers: "SIP_SOME_HEADERS" } }],
    ["both spellings of one member", "Create", { trunk: { allowed_addresses: ["a"], allowedAddresses: ["b"] } }],
    ["two members of a oneof", "Update", { replace: {}, update: {} }],
  ])("refuses %s as malformed", async (_, action, request) => {
    const answer = await call(`SIP/${action}SIPInboundTrunk`, request);
    expect([answer.status, await codeOf(answer)]).toEqual([400, "malformed"]);
  });

  test("takes camelCase as well, as LiveKit's SDK sends it", async () => {
    const trunk = await sip.createSipInboundTrunk("t", [], {
      allowedAddresses: ["192.0.2.1"],
      headersToAttributes: { To: "sip.h.to" },
    });
    const rule = await sip.createSipDispatchRule(
      { type: "individual", roomPrefix: "sip-" },
      { name: "r", trunkIds: [trunk.sipTrunkId] },
    );
    expect((await sip.listSipInboundTrunk()).map((item) => item.headersToAttributes)).toEqual([{ To: "sip.h.to" }]);
    expect(rule.trunkIds).toEqual([trunk.sipTrunkId]);
    expect(livekit.state.trunks.get(trunk.sipTrunkId)).toMatchObject({ allowed_addresses: ["192.0.2.1"] });
    expect(livekit.unexpected).toEqual([]);
  });

  test("makes a room, once, and deletes it, for whoever may; the SDK's requests have no member that it does not know", async () => {
    const room = await rooms.createRoom({ name: "sip-1", emptyTimeout: 30 });
    expect([room.name, room.emptyTimeout, room.sid.startsWith("RM_")]).toEqual(["sip-1", 30, true]);
    expect((await rooms.createRoom({ name: "sip-1" })).sid).toBe(room.sid);
    const refused = await post(
      livekit,
      "RoomService/DeleteRoom",
      '{"room":"sip-1"}',
      await token("sip", livekit.apiSecret),
    );
    expect([refused.status, await codeOf(refused)]).toEqual([401, "unauthenticated"]);
    await rooms.deleteRoom("sip-1");
    expect(await failure(rooms.deleteRoom("sip-1"))).toMatchObject({ status: 404, code: "not_found" });
    expect([livekit.state.rooms.size, livekit.unexpected]).toEqual([0, []]);
  });

  test("its clock is in its answers, and judges tokens", async () => {
    livekit.state.clockAheadMs = -120_000;
    const answer = await call("SIP/ListSIPInboundTrunk", {});
    expect([answer.status, await answer.text()]).toEqual([401, expect.stringContaining("token is not valid yet")]);
    const behind = Date.now() - Date.parse(answer.headers.get("date") ?? "");
    expect(Math.round(behind / 10_000)).toBe(12);
  });

  test("update changes what it names and keeps the rest, replace overwrites everything", async () => {
    const created = { name: "t", allowed_addresses: ["192.0.2.1"], metadata: "m", headers: { "X-A": "1" } };
    await call("SIP/CreateSIPInboundTrunk", { trunk: created });
    const [id = ""] = livekit.state.trunks.keys();
    const stored = livekit.state.trunks.get(id);
    if (stored !== undefined) stored["invented"] = { deep: [1] };
    await call("SIP/UpdateSIPInboundTrunk", {
      sip_trunk_id: id,
      update: { allowed_addresses: { add: ["192.0.2.2"], remove: ["192.0.2.1"] } },
    });
    expect(livekit.state.trunks.get(id)).toMatchObject({
      allowed_addresses: ["192.0.2.2"],
      metadata: "m",
      headers: { "X-A": "1" },
      invented: { deep: [1] },
    });
    await call("SIP/UpdateSIPInboundTrunk", { sip_trunk_id: id, replace: { name: "t", numbers: ["+1"] } });
    expect(livekit.state.trunks.get(id)).toEqual({ sip_trunk_id: id, name: "t", numbers: ["+1"] });
  });

  test("checks before it writes, without a lock: two creations at once can both succeed", async () => {
    const both = Promise.withResolvers<void>();
    let waiting = 0;
    livekit.inject({
      method: "SIP/CreateSIPInboundTrunk",
      times: 2,
      at: "write",
      run: () => {
        waiting += 1;
        if (waiting === 2) both.resolve();
        return both.promise;
      },
    });
    const trunk = { name: "t", allowed_addresses: ["192.0.2.1"] };
    const answers = await Promise.all([1, 2].map(() => call("SIP/CreateSIPInboundTrunk", { trunk })));
    expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
    expect(livekit.state.trunks.size).toBe(2);
    expect((await call("SIP/CreateSIPInboundTrunk", { trunk })).status).toBe(400);
  });

  test("without Redis SIP is a 500, and a wrong token is still a 401", async () => {
    livekit.state.redis = false;
    const answer = await call("SIP/ListSIPInboundTrunk", {});
    expect([answer.status, await answer.json()]).toEqual([
      500,
      { code: "internal", msg: "sip not connected (redis required)" },
    ]);
    const wrong = await post(livekit, "SIP/ListSIPInboundTrunk", "{}", await token("none", livekit.apiSecret));
    expect(wrong.status).toBe(401);
  });

  test("a fault hits the request it was meant for, and no other", async () => {
    livekit.inject({
      method: "SIP/ListSIPInboundTrunk",
      nth: 2,
      at: "request",
      answer: { status: 503, body: "busy" },
    });
    const statuses: number[] = [];
    for (let i = 0; i < 3; i += 1) statuses.push((await call("SIP/ListSIPInboundTrunk", {})).status);
    expect(statuses).toEqual([200, 503, 200]);
  });

  test("a dropped answer leaves what was done, a dropped request does nothing", async () => {
    const request = { trunk: { name: "t", allowed_addresses: ["192.0.2.1"] } };
    livekit.inject({ at: "request", drop: true });
    expect(await failure(call("SIP/CreateSIPInboundTrunk", request))).toMatchObject({ code: "ECONNRESET" });
    expect(livekit.state.trunks.size).toBe(0);
    livekit.inject({ at: "answer", drop: true });
    expect(await failure(call("SIP/CreateSIPInboundTrunk", request))).toMatchObject({ code: "ECONNRESET" });
    expect(livekit.state.trunks.size).toBe(1);
    expect(livekit.requests.length).toBe(2);
  });

  test("lists rooms by name and changes their metadata, with the grants that LiveKit wants", async () => {
    livekit.state.rooms.set("sip-1", { sid: "RM_1", name: "sip-1", metadata: "" });
    livekit.state.rooms.set("sip-2", { sid: "RM_2", name: "sip-2", metadata: "{}" });
    expect((await rooms.listRooms(["sip-2"])).map((room) => [room.sid, room.metadata])).toEqual([["RM_2", "{}"]]);
    expect((await rooms.listRooms()).length).toBe(2);
    expect((await rooms.updateRoomMetadata("sip-1", "x")).metadata).toBe("x");
    expect(await failure(rooms.updateRoomMetadata("nope", "x"))).toMatchObject({ status: 404, code: "not_found" });
    expect((await call("RoomService/ListRooms", {})).status).toBe(401);
    const other = await token("room", livekit.apiSecret, "sip-2");
    const update = JSON.stringify({ room: "sip-1", metadata: "y" });
    expect((await post(livekit, "RoomService/UpdateRoomMetadata", update, other)).status).toBe(401);
  });

  test.each([
    ["expired", { exp: 0 }],
    ["not valid yet", { nbf: 4e9 }],
    ["without exp", { exp: undefined }],
    ["of an unknown key", { iss: "nobody" }],
  ])("refuses a token %s", async (_, claims) => {
    const now = Date.now() / 1000;
    const body = { iss: "devkey", nbf: now, exp: now + 60, sip: { admin: true }, ...claims };
    const signed = `${part({ alg: "HS256" })}.${part(body)}`;
    const signature = new Bun.CryptoHasher("sha256", livekit.apiSecret).update(signed).digest("base64url");
    const answer = await post(livekit, "SIP/ListSIPInboundTrunk", "{}", `${signed}.${signature}`);
    expect(answer.status).toBe(401);
  });
});
