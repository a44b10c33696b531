import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../../src/domain/json";
import type { SendResult } from "../../../../src/contracts/sender";
import { A, answered, B, OPS, StartedService } from "../../../support/started-service";

let it: StartedService;

beforeEach(async () => {
  it = await StartedService.start();
});

afterEach(() => it.end());

const testOne = async (token = OPS) => it.post("/sip/hooks/test", { host: "ONE.a.example.com" }, token);
const deliveries = async () => (await it.get("/sip/deliveries")).json.deliveries as JsonObject[];

describe("POST /sip/hooks/test", () => {
  test("tells what the hook answered, and keeps nothing of it", async () => {
    it.answer = () => answered(503, "down for maintenance");
    const { status, json } = await testOne();
    expect({ status, json }).toMatchObject({
      status: 200,
      json: {
        test: {
          ok: false,
          outcome: "endpoint_failed",
          host: "one.a.example.com",
          auth_id: "tenant-a",
          state: "active",
          event: "room_finished",
          address: { allowed: true },
          attempt: { n: 1, status: 503, duration_ms: 7, answer_start: "down for maintenance" },
        },
      },
    });
    expect(it.sent).toHaveLength(1);
    expect(await deliveries()).toEqual([]);
    expect((await it.get("/sip/calls")).json.calls).toEqual([]);
  });

  test("counts for no breaker, however often it fails", async () => {
    it.answer = () => answered(503);
    for (let i = 0; i < 12; i++) {
      await testOne();
      await it.clock.turn(1000);
    }
    expect(((await it.get("/sip/hooks")).json.hooks as JsonObject[])[0]).not.toHaveProperty("breaker");
  });

  test("reaches a paused hook, and says that a delivery would wait", async () => {
    await it.post("/sip/hooks/pause", { hosts: ["one.a.example.com"] });
    expect((await testOne()).json.test).toMatchObject({ ok: false, outcome: "delivered", state: "paused" });
  });

  test("is a tenant's for its own hooks; addresses and the network's messages are the operator's", async () => {
    const failed: SendResult = {
      kind: "failed",
      step: "address",
      code: "ADDRESS_FORBIDDEN",
      message: "10.0.0.7 is private",
      durationMs: 1,
    };
    it.answer = () => failed;
    const own = (await testOne(A)).json.test as JsonObject;
    expect(own).toMatchObject({ ok: false, address: { allowed: false } });
    expect((own.attempt as JsonObject).error).toEqual({ step: "address", code: "ADDRESS_FORBIDDEN" });
    expect(JSON.stringify((await testOne()).json.test)).toContain("10.0.0.7");
    expect(await testOne(B)).toMatchObject({ status: 403, json: { error: { code: "forbidden" } } });
  });

  test.each([
    ["none.example.com", 404, "hook_not_found"],
    ["no host", 400, "invalid_host"],
  ])("%s: %d %s", async (host, status, code) => {
    expect(await it.post("/sip/hooks/test", { host })).toMatchObject({ status, json: { error: { code } } });
  });

  test("goes to a hook once at a time", async () => {
    const [first, second] = await Promise.all([testOne(), testOne()]);
    expect([first.status, second.status]).toEqual([200, 409]);
    expect(second.json).toMatchObject({ error: { code: "hook_test_under_way", host: "one.a.example.com" } });
    expect((await testOne()).status).toBe(200);
  });
});
