import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/domain/json";
import { answered, StartedService } from "../../support/started-service";

const MINUTE = 60_000;
const TO_A = "https://a.example/hook";

let it: StartedService;

beforeEach(async () => {
  it = await StartedService.start();
});

afterEach(() => it.end());

/** Refuses what is sent to tenant A until it is given up. */
async function giveUpOnA(): Promise<void> {
  it.answer = (url) => answered(url === TO_A ? 400 : 200, "no <such> thing");
  await it.call("RM_a", "one.a.example.com");
  await it.clock.turn(MINUTE);
}

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
