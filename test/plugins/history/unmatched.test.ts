import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/domain/json";
import { callerOf } from "../../support/started-service";
import { it, MINUTE, serviceForEach } from "./service-for-each";

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

describe("what went to no hook, replayed for one of the hooks that were added", () => {
  const NEW = "https://a.example/new";
  const WILD = "https://b.example/wild";
  const addBoth = () =>
    it.post("/sip/hooks", {
      hooks: [
        { host: "new.a.example.com", url: NEW, auth_id: "tenant-a" },
        { host: "*.wild.b.example.com", url: WILD, auth_id: "tenant-b" },
      ],
    });
  const replay = async (host: string, more = {}) =>
    (await it.post("/sip/replay", { unmatched: { host }, ...more })).json.queued;
  const roomsWithoutHook = async () =>
    new Set(((await it.get("/sip/unmatched")).json.unmatched as JsonObject[]).map(({ room }) => String(room)));

  test("goes to that one alone; the calls of the other stay unmatched until it is their turn", async () => {
    await it.call("RM_new", "new.a.example.com");
    await it.call("RM_wild", "one.wild.b.example.com");
    await it.call("RM_x", "x.example.com");
    await it.clock.turn(MINUTE);
    await addBoth();
    expect(await replay("new.a.example.com", { dry_run: true })).toBe(4);
    expect(await replay("New.A.example.com.:5060")).toBe(4);
    await it.clock.turn(MINUTE);
    expect([it.namesSentTo(NEW).length, it.namesSentTo(WILD).length]).toEqual([4, 0]);
    expect(await roomsWithoutHook()).toEqual(new Set(["sip-RM_wild", "sip-RM_x"]));
    expect(await replay("new.a.example.com")).toBe(0);

    expect(await replay("*.wild.b.example.com")).toBe(4);
    await it.clock.turn(MINUTE);
    expect([it.namesSentTo(NEW).length, it.namesSentTo(WILD).length]).toEqual([4, 4]);
    expect(await roomsWithoutHook()).toEqual(new Set(["sip-RM_x"]));
  });

  test("goes to the other one as well when it is a conference with a caller of each, as it would have gone live", async () => {
    const room = { sid: "RM_both", name: "sip-RM_both" };
    await it.webhook("room_started", { room });
    await it.webhook("participant_joined", { room, participant: callerOf("w", "one.wild.b.example.com") });
    await it.webhook("participant_joined", { room, participant: callerOf("n", "new.a.example.com") });
    await it.clock.turn(MINUTE);
    await addBoth();
    expect(await replay("new.a.example.com")).toBe(4);
    await it.clock.turn(MINUTE);
    expect(it.namesSentTo(NEW)).toEqual(["room_started", "participant_joined"]);
    expect(it.namesSentTo(WILD)).toEqual(["room_started", "participant_joined"]);
  });

  test("goes by the host that its participant named first, not by one that a later event names", async () => {
    const room = { sid: "RM_moved", name: "sip-RM_moved" };
    const moved = (host: string) => ({ room, participant: { ...callerOf("m", host), sid: "PA_m" } });
    await it.webhook("participant_joined", moved("one.wild.b.example.com"));
    await it.webhook("participant_left", moved("new.a.example.com"));
    await it.clock.turn(MINUTE);
    await addBoth();
    expect(await replay("new.a.example.com")).toBe(0);
    expect(await replay("*.wild.b.example.com")).toBe(2);
  });
});
