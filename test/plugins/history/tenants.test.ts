import { beforeEach, describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/domain/json";
import { A, answered, B, callerOf } from "../../support/started-service";
import { deliveries, it, MINUTE, serviceForEach, TO_A } from "./service-for-each";

serviceForEach();

describe("a tenant", () => {
  /** Of A: a call, one in a room shared with B, and one that found no hook. */
  beforeEach(async () => {
    it.answer = (url) => (url === TO_A ? answered(400, "answer-of-a") : answered(200, "ok"));
    const room = { sid: "RM_both", name: "sip-RM_both" };
    await it.call("RM_secret", "one.a.example.com");
    await it.webhook("room_started", { room });
    await it.webhook("participant_joined", { room, participant: callerOf("ofa", "one.a.example.com") });
    await it.webhook("participant_joined", { room, participant: callerOf("ofb", "one.b.example.com") });
    await it.webhook("participant_joined", {
      room,
      participant: { sid: "PA_agent", identity: "agent", kind: "AGENT" },
    });
    await it.webhook("participant_left", { room, participant: callerOf("ofa", "one.a.example.com") });
    await it.call("RM_lost", "lost.a.example.com");
    await it.clock.turn(MINUTE);
    await it.post("/sip/hooks", {
      hooks: [{ host: "lost.a.example.com", url: "https://a.example/lost", auth_id: "tenant-a" }],
    });
  });

  /** What must not be in any answer to B. */
  const SECRETS = /RM_secret|RM_lost|lost\.a|one\.a|tenant-a|ofa|a\.example|answer-of-a/;

  const oneOfA = async () => (await deliveries("?auth_id=tenant-a"))[0]?.id ?? 0;

  test.each<[string, (id: number) => string, string]>([
    ["a delivery", (id) => `/sip/deliveries/${id}`, "/sip/deliveries/99999"],
    ["deliveries of a hook", () => "/sip/deliveries?hook=one.a.example.com", "/sip/deliveries?hook=none.example.com"],
    ["deliveries of a tenant", () => "/sip/deliveries?auth_id=tenant-a", "/sip/deliveries?auth_id=tenant-z"],
    ["deliveries of a call", () => "/sip/deliveries?call=RM_secret", "/sip/deliveries?call=RM_none"],
    ["deliveries of a room", () => "/sip/deliveries?room=sip-RM_secret", "/sip/deliveries?room=sip-none"],
    ["a call", () => "/sip/calls/RM_secret", "/sip/calls/RM_none"],
    ["a call without a hook", () => "/sip/calls/RM_lost", "/sip/calls/RM_none"],
    ["calls of a hook", () => "/sip/calls?hook=one.a.example.com", "/sip/calls?hook=none.example.com"],
    ["calls of a room", () => "/sip/calls?room=sip-RM_secret", "/sip/calls?room=sip-none"],
    ["calls of a caller", () => "/sip/calls?caller=%2B1-RM_secret", "/sip/calls?caller=%2B1-none"],
    ["calls of a caller in a shared room", () => "/sip/calls?caller=%2B1-ofa", "/sip/calls?caller=%2B1-none"],
    ["calls of a callee in a shared room", () => "/sip/calls?callee=%2B49-ofa", "/sip/calls?callee=%2B49-none"],
    [
      "calls of a SIP Call-ID in a shared room",
      () => "/sip/calls?sip_call_id=callid-ofa",
      "/sip/calls?sip_call_id=none",
    ],
    [
      "unmatched events of a host",
      () => "/sip/unmatched?host=lost.a.example.com",
      "/sip/unmatched?host=none.example.com",
    ],
    ["unmatched events of a room", () => "/sip/unmatched?room=sip-RM_lost", "/sip/unmatched?room=sip-none"],
    ["unmatched events", () => "/sip/unmatched", "/sip/unmatched?room=sip-none"],
  ])("learns nothing of another one's: GET %s", async (_, theirs, none) => {
    const answer = await it.get(theirs(await oneOfA()), B);
    const nothing = await it.get(none, B);
    expect([answer.status, answer.text]).toEqual([nothing.status, nothing.text]);
  });

  test.each<[string, string, (id: number) => object, object]>([
    ["/sip/replay", "a delivery", (id) => ({ delivery: id }), { delivery: 99999 }],
    ["/sip/replay", "a call", () => ({ call: "RM_secret" }), { call: "RM_none" }],
    ["/sip/replay", "a hook", () => ({ hook: "one.a.example.com" }), { hook: "none.example.com" }],
    ["/sip/replay", "a span", () => ({ since: "2026-01-01T00:00:00Z" }), { since: "2030-01-01T00:00:00Z" }],
    ["/sip/replay", "what found no hook", () => ({ unmatched: {} }), { unmatched: { room: "sip-none" } }],
    [
      "/sip/replay",
      "a room that found no hook",
      () => ({ unmatched: { room: "sip-RM_lost" } }),
      { unmatched: { room: "sip-none" } },
    ],
    [
      "/sip/replay",
      "what found no hook, for a hook",
      () => ({ unmatched: { host: "one.a.example.com" } }),
      { unmatched: { host: "none.example.com" } },
    ],
    ["/sip/deliveries/cancel", "ids", (id) => ({ ids: [id] }), { ids: [99999] }],
    ["/sip/deliveries/cancel", "a hook", () => ({ hook: "one.a.example.com" }), { hook: "none.example.com" }],
    ["/sip/deliveries/cancel", "a call", () => ({ call: "RM_secret" }), { call: "RM_none" }],
    ["/sip/hooks/pause", "a hook", () => ({ hosts: ["one.a.example.com"] }), { hosts: ["none.example.com"] }],
    ["/sip/hooks/resume", "a hook", () => ({ hosts: ["one.a.example.com"] }), { hosts: ["none.example.com"] }],
    [
      "/sip/hooks/pause",
      "its own and a hook",
      () => ({ hosts: ["one.b.example.com", "one.a.example.com"] }),
      { hosts: ["one.b.example.com", "none.example.com"] },
    ],
  ])("changes nothing of another one's: POST %s, %s", async (path, _, theirs, none) => {
    const state = async () => [
      (await it.get("/sip/deliveries?auth_id=tenant-a&limit=500")).text,
      (await it.get("/sip/hooks")).text,
      (await it.get("/sip/unmatched")).text,
    ];
    const before = await state();
    const answer = await it.post(path, theirs(await oneOfA()), B);
    const nothing = await it.post(path, none, B);
    expect([answer.status, answer.text]).toEqual([nothing.status, nothing.text]);
    expect(await state()).toEqual(before);
  });

  test.each<[string, object, object]>([
    ["a host", { host: "one.a.example.com" }, { host: "none.example.com" }],
    ["a To header", { to: "<sip:1@one.a.example.com>" }, { to: "<sip:1@none.example.com>" }],
    [
      "an event of its call",
      { event: { event: "room_finished", room: { sid: "RM_secret", name: "sip-RM_1" } } },
      { event: { event: "room_finished", room: { sid: "RM_unknown", name: "sip-RM_1" } } },
    ],
    [
      "an event of its room's name",
      { event: { event: "egress_ended", room: { name: "sip-RM_secret" } } },
      { event: { event: "egress_ended", room: { name: "sip-RM_unknown" } } },
    ],
    [
      "its caller in a shared room",
      {
        event: {
          event: "track_published",
          room: { sid: "RM_both", name: "sip-RM_both" },
          participant: { sid: "PA_ofa" },
        },
      },
      {
        event: {
          event: "track_published",
          room: { sid: "RM_both", name: "sip-RM_both" },
          participant: { sid: "PA_none" },
        },
      },
    ],
    [
      "its caller who comes into a shared room",
      {
        event: {
          event: "participant_joined",
          room: { sid: "RM_both", name: "sip-RM_both" },
          participant: callerOf("ofa", "one.a.example.com"),
        },
      },
      {
        event: {
          event: "participant_joined",
          room: { sid: "RM_both", name: "sip-RM_both" },
          participant: callerOf("none", "none.example.com"),
        },
      },
    ],
  ])("is explained another one's as if there were no hook: %s", async (_, theirs, none) => {
    // What the caller wrote is repeated to it, so that it is made the same.
    const plain = ({ text }: { text: string }) =>
      text
        .replaceAll(/one\.a\.|none\./g, "")
        .replaceAll(/RM_secret|RM_unknown/g, "RM")
        .replaceAll(/PA_ofa|PA_none/g, "PA");
    const answer = await it.post("/sip/explain", theirs, B);
    expect(plain(answer)).toBe(plain(await it.post("/sip/explain", none, B)));
    expect(answer.json).toMatchObject({ hooks: [] });
  });

  test("sees no trace of another one in anything that it may read", async () => {
    const paths = [
      "/sip/deliveries?limit=500",
      "/sip/calls?limit=500",
      "/sip/calls/RM_both",
      "/sip/calls?room=sip-RM_both",
      "/sip/deliveries?call=RM_both",
      "/sip/unmatched",
      "/sip/hooks",
    ];
    for (const path of paths) {
      const answer = await it.get(path, B);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(answer.text).not.toMatch(SECRETS);
    }
    for (const { id } of await deliveries("?limit=500", B)) {
      expect((await it.get(`/sip/deliveries/${id}`, B)).text).not.toMatch(SECRETS);
    }
  });

  test("sees of a shared room its own participants, and the events that it was sent", async () => {
    const call = (await it.get("/sip/calls/RM_both", B)).json.call as Record<string, JsonObject[]>;
    expect(call.participants?.map(({ sid }) => sid)).toEqual(["PA_agent", "PA_ofb"]);
    expect(call.events?.map(({ event, participant }) => `${String(event)} ${String(participant)}`)).toEqual([
      "room_started undefined",
      "participant_joined PA_ofb",
      "participant_joined PA_agent",
    ]);
  });

  test("sends its own again: a delivery, a call, a hook, and its calls that found no hook", async () => {
    const id = (await deliveries("", A))[0]?.id;
    it.answer = () => answered(200);
    expect((await it.post("/sip/replay", { delivery: id }, A)).json).toMatchObject({ queued: 1 });
    expect((await it.post("/sip/replay", { call: "RM_secret" }, A)).json).toMatchObject({ queued: 4 });
    expect((await it.post("/sip/replay", { hook: "one.a.example.com" }, A)).json).toMatchObject({ pending: 5 });
    expect((await it.get("/sip/unmatched", A)).json.unmatched).toHaveLength(4);
    expect((await it.post("/sip/replay", { unmatched: {} }, A)).json).toMatchObject({ queued: 4 });
    await it.clock.turn(MINUTE);
    expect(it.namesSentTo("https://a.example/lost")).toEqual([
      "room_started",
      "participant_joined",
      "participant_left",
      "room_finished",
    ]);
  });

  test("does not get by a replay a call that somebody else's caller is in, nor one outside its hosts", async () => {
    const room = { sid: "RM_mixed", name: "sip-RM_mixed" };
    await it.webhook("participant_joined", { room, participant: callerOf("m1", "mixed.a.example.com") });
    await it.webhook("participant_joined", { room, participant: callerOf("m2", "mixed.b.example.com") });
    await it.call("RM_outside", "given.example.com");
    await it.clock.turn(MINUTE);
    const hook = (host: string, authId: string) => ({ host, url: `https://${authId}.example/m`, auth_id: authId });
    const hooks = [hook("mixed.a.example.com", "tenant-a"), hook("given.example.com", "tenant-a")];
    await it.post("/sip/hooks", { hooks });
    for (const name of ["RM_mixed", "RM_outside"]) {
      expect((await it.post("/sip/replay", { unmatched: { room: `sip-${name}` } }, A)).json).toMatchObject({
        queued: 0,
      });
    }
    await it.post("/sip/hooks", { hooks: [hook("mixed.b.example.com", "tenant-b")] });
    expect((await it.post("/sip/replay", { unmatched: { room: "sip-RM_mixed" } }, A)).json).toMatchObject({
      queued: 0,
    });
    // The operator may, and each one gets its own caller alone.
    expect((await it.post("/sip/replay", { unmatched: { room: "sip-RM_mixed" } })).json).toMatchObject({ queued: 2 });
  });

  test("pauses, resumes and cancels its own", async () => {
    expect((await it.post("/sip/hooks/pause", { hosts: ["one.a.example.com"] }, A)).status).toBe(200);
    expect((await it.get("/sip/hooks", A)).text).toContain("paused by its tenant");
    await it.call("RM_more", "one.a.example.com");
    expect((await it.post("/sip/deliveries/cancel", { hook: "one.a.example.com" }, A)).json).toEqual({ cancelled: 4 });
    expect((await it.post("/sip/hooks/resume", { hosts: ["one.a.example.com"] }, A)).status).toBe(200);
  });

  test("gets an own hook explained", async () => {
    const answer = await it.post("/sip/explain", { host: "one.b.example.com" }, B);
    expect(answer.json).toMatchObject({ outcome: "delivered", hooks: [{ host: "one.b.example.com" }] });
    const event = { event: "room_finished", room: { sid: "RM_both", name: "sip-RM_both" } };
    const shared = await it.post("/sip/explain", { event }, B);
    expect(shared.json).toMatchObject({ hooks: [{ host: "one.b.example.com" }] });
    expect(shared.text).toContain("with one hook");
    expect(shared.text).not.toMatch(SECRETS);
  });
});
