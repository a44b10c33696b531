import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/domain/json";
import { it, serviceForEach } from "./service-for-each";

serviceForEach();

describe("what went to no hook", () => {
  test("is listed with the called host and why", async () => {
    await it.call("RM_x", "x.example.com");
    await it.clock.turn(2000);
    const { json } = await it.get("/sip/unmatched?host=X.example.com");
    expect((json.unmatched as JsonObject[]).map(({ event, hosts, reason }) => [event, hosts, reason])).toEqual([
      ["room_finished", ["x.example.com"], "no_hook"],
      ["participant_left", ["x.example.com"], "no_hook"],
      ["participant_joined", ["x.example.com"], "no_hook"],
      ["room_started", ["x.example.com"], "no_hook"],
    ]);
  });

  test("goes whole and in order to the hook that is added, when that is asked for", async () => {
    await it.call("RM_new", "new.a.example.com");
    await it.call("RM_x", "x.example.com");
    await it.clock.turn(40_000);
    const url = "https://a.example/new";
    await it.post("/sip/hooks", { hooks: [{ host: "new.a.example.com", url, auth_id: "tenant-a" }] });
    expect((await it.post("/sip/replay", { unmatched: {}, dry_run: true })).json).toEqual({
      queued: 4,
      pending: 0,
      unwanted: 0,
      dry_run: true,
    });
    await it.clock.turn(1000);
    expect(it.namesSentTo(url)).toEqual([]);
    expect((await it.post("/sip/replay", { unmatched: {} })).json).toMatchObject({ queued: 4, dry_run: false });
    await it.clock.turn(1000);
    expect(it.namesSentTo(url)).toEqual(["room_started", "participant_joined", "participant_left", "room_finished"]);
    const { json } = await it.get("/sip/unmatched");
    expect((json.unmatched as JsonObject[]).map(({ room }) => room)).toEqual(Array(4).fill("sip-RM_x"));
    expect((await it.post("/sip/replay", { unmatched: {} })).json).toMatchObject({ queued: 0 });
  });
});
