import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/domain/json";
import { A, answered } from "../../support/started-service";
import { giveUpOnA, it, MINUTE, serviceForEach } from "./service-for-each";

serviceForEach();

describe("calls", () => {
  test("a call shows who called what, which matcher chose which hook, its events, their deliveries and the gaps", async () => {
    await giveUpOnA();
    const call = (await it.get("/sip/calls/RM_a")).json.call as Record<string, JsonObject[]>;
    expect(call).toMatchObject({ room_sid: "RM_a", state: "finished", hooks: [{ host: "one.a.example.com" }] });
    expect(call.participants).toMatchObject([
      {
        sid: "PA_RM_a",
        sip: true,
        host: "one.a.example.com",
        matcher: "exact-host",
        why: "The matcher exact-host chose the hook of one.a.example.com for the called host one.a.example.com.",
        sip_call_id: "callid-RM_a",
        caller: "+1-RM_a",
        callee: "+49-RM_a",
      },
    ]);
    expect(call.events?.map(({ event, state }) => [event, state])).toEqual([
      ["room_started", "routed"],
      ["participant_joined", "routed"],
      ["participant_left", "routed"],
      ["room_finished", "routed"],
    ]);
    expect(call.events?.[0]).toMatchObject({
      created_at: "2026-11-21T22:50:01.000Z",
      received_at: expect.any(String) as unknown,
      kept_at: expect.any(String) as unknown,
      deliveries: [{ state: "dead", attempts: [{ n: 1, status: 400 }, { n: 2 }, { n: 3 }] }],
    });
    expect(call.gaps).toHaveLength(4);
    it.answer = () => answered(200);
    await it.post("/sip/replay", { call: "RM_a" });
    await it.clock.turn(MINUTE);
    const { gaps } = (await it.get("/sip/calls/RM_a")).json.call as { gaps: JsonObject[] };
    expect(gaps.map((gap) => (gap.replayed_by as JsonObject).state)).toEqual(Array(4).fill("delivered"));
  });

  test.each([
    ["sip_call_id=callid-RM_a", ["RM_a"]],
    ["caller=%2B1-RM_b", ["RM_b"]],
    ["caller=+1-RM_b", ["RM_b"]],
    ["callee=+49-RM_b", ["RM_b"]],
    ["caller=1-RM_b", []],
    ["callee=%2B49-RM_b", ["RM_b"]],
    ["room=sip-RM_a", ["RM_a"]],
    ["hook=one.b.example.com", ["RM_b"]],
    ["state=finished", ["RM_b", "RM_a"]],
    ["state=active", []],
    ["until=2020-01-01T00:00:00Z", []],
  ])("are found by %s", async (query, sids) => {
    await it.call("RM_a", "one.a.example.com");
    await it.call("RM_b", "one.b.example.com");
    const { json } = await it.get(`/sip/calls?${query}`);
    expect((json.calls as JsonObject[]).map((call) => call.room_sid)).toEqual(sids);
  });

  test("one that found its hook by a replay began for its tenant when its first event came in, as it did for the operator", async () => {
    await it.call("RM_new", "new.a.example.com");
    await it.clock.turn(10 * MINUTE);
    const hooks = [{ host: "new.a.example.com", url: "https://a.example/new", auth_id: "tenant-a" }];
    await it.post("/sip/hooks", { hooks });
    const replayed = new Date(it.clock.now()).toISOString();
    expect((await it.post("/sip/replay", { unmatched: {} })).json).toMatchObject({ queued: 4 });
    const asOperator = (await it.get("/sip/calls")).json.calls as JsonObject[];
    const asTenant = (await it.get("/sip/calls", A)).json.calls as JsonObject[];
    expect(asTenant).toEqual(asOperator);
    expect(asTenant).toHaveLength(1);
    const [{ began_at: began, finished_at: finished } = {}] = asTenant;
    expect([began, finished].map(String).toSorted()).toEqual([String(began), String(finished)]);
    for (const hook of ["", "&hook=new.a.example.com"]) {
      expect((await it.get(`/sip/calls?until=${replayed}${hook}`, A)).json.calls).toEqual(asTenant);
      expect((await it.get(`/sip/calls?since=${replayed}${hook}`, A)).json.calls).toEqual([]);
    }
  });

  test("a state that there is not is 400", async () => {
    expect((await it.get("/sip/calls?state=lost")).status).toBe(400);
  });

  test("one that is not there is 404", async () => {
    expect(await it.get("/sip/calls/RM_none")).toMatchObject({
      status: 404,
      json: { error: { code: "call_not_found" } },
    });
  });
});
