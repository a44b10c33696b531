import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/domain/json";
import { A, OPS, StartedService } from "../../support/started-service";

const MINUTE = 60_000;
const TO_A = "https://a.example/hook";

let it: StartedService;

beforeEach(async () => {
  it = await StartedService.start();
});

afterEach(() => it.end());

describe("pause and resume", () => {
  const hook = async (token = OPS) =>
    ((await it.get("/sip/hooks", token)).json.hooks as JsonObject[]).find(({ host }) => host === "one.a.example.com");

  test("a paused hook is sent nothing until it is resumed, and then each call in its order", async () => {
    const answer = await it.post("/sip/hooks/pause", { hosts: ["ONE.a.example.com"] });
    expect(answer.status).toBe(200);
    const paused = { reason: "paused by an operator", since: new Date(it.clock.now()).toISOString() };
    expect(await hook()).toMatchObject({ state: "paused", paused });
    await it.call("RM_a", "one.a.example.com");
    await it.clock.turn(MINUTE);
    expect(it.sent).toEqual([]);
    await it.post("/sip/hooks/pause", { hosts: ["one.a.example.com"] }, A);
    expect(await hook()).toMatchObject({ paused });
    await it.post("/sip/hooks/resume", { hosts: ["one.a.example.com"] }, A);
    expect(await hook()).toMatchObject({ state: "active" });
    expect(Object.keys((await hook()) ?? {})).not.toContain("paused");
    await it.clock.turn(MINUTE);
    expect(it.namesSentTo(TO_A)).toEqual(["room_started", "participant_joined", "participant_left", "room_finished"]);
  });

  test.each(["pause", "resume"])("%s: 404 names the hosts that have no hook, and nothing is changed", async (what) => {
    const answer = await it.post(`/sip/hooks/${what}`, { hosts: ["one.a.example.com", "none.example.com"] });
    expect(answer).toMatchObject({
      status: 404,
      json: { error: { code: "hook_not_found", hosts: ["none.example.com"] } },
    });
    expect(await hook()).toMatchObject({ state: "active" });
  });
});
