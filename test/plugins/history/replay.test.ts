import { beforeEach, describe, expect, test } from "bun:test";
import { answered } from "../../support/started-service";
import { deliveries, giveUpOnA, it, MINUTE, serviceForEach } from "./service-for-each";

serviceForEach();

describe("replay", () => {
  test("sends a call again in order, with the same webhook-ids", async () => {
    await giveUpOnA();
    const before = it.sent.length;
    it.answer = () => answered(200);
    expect((await it.post("/sip/replay", { call: "RM_a" })).json).toMatchObject({ queued: 4, pending: 0 });
    expect((await it.post("/sip/replay", { call: "RM_a" })).json).toMatchObject({ queued: 0, pending: 4 });
    await it.clock.turn(MINUTE);
    const again = it.sent.slice(before);
    expect(again).toHaveLength(4);
    const first = it.sent.slice(0, before).map(({ headers }) => headers["webhook-id"]);
    expect(again.map(({ headers }) => headers["webhook-id"])).toEqual([...new Set(first)]);
    expect((await deliveries("?state=delivered")).every(({ replay }) => replay)).toBe(true);
  });

  test.each<[string, object | ((id: number) => object), number]>([
    ["one", (id) => ({ delivery: id }), 1],
    ["a call", { call: "RM_a" }, 4],
    ["a hook", { hook: "one.a.example.com" }, 4],
    ["a span", { since: "2026-01-01T00:00:00Z", until: "2027-01-01T00:00:00Z" }, 4],
    ["an empty span", { until: "2026-01-01T00:00:00Z" }, 0],
    ["a hook, what arrived", { hook: "one.a.example.com", states: ["delivered"] }, 0],
    ["another hook", { hook: "one.b.example.com" }, 0],
    ["another hook, what arrived", { hook: "one.b.example.com", states: ["delivered", "dead"] }, 4],
    ["a call and another hook", { call: "RM_a", hook: "one.b.example.com" }, 0],
  ])("takes %s", async (_, selection, queued) => {
    await giveUpOnA();
    await it.call("RM_b", "one.b.example.com");
    const [last] = await deliveries("?state=dead");
    const body = typeof selection === "function" ? selection(last?.id ?? 0) : selection;
    expect((await it.post("/sip/replay", { ...body, dry_run: true })).json).toMatchObject({ queued, dry_run: true });
    expect((await it.post("/sip/replay", body)).json).toMatchObject({ queued });
  });

  test.each([
    [{}, 400],
    [{ states: ["dead"] }, 400],
    [{ delivery: 1, call: "RM_a" }, 400],
    [{ unmatched: {}, hook: "one.a.example.com" }, 400],
    [{ unmatched: { host: "none.example.com" } }, 404],
    [{ unmatched: { host: "no host" } }, 400],
    [{ hook: "one.a.example.com", states: ["pending"] }, 400],
    [{ delivery: "1" }, 400],
    [{ delivery: 4711 }, 404],
    [{ call: "RM_none" }, 404],
    [{ hook: "none.example.com" }, 404],
    [{ hook: "no host" }, 400],
    [{ hook: "one.a.example.com", cursor: "x" }, 400],
    [{ since: "2026-02-31T00:00:00Z" }, 400],
  ])("%j is refused with %d", async (body, status) => {
    expect((await it.post("/sip/replay", body)).status).toBe(status);
  });
});

describe("cancel", () => {
  beforeEach(async () => {
    it.answer = () => answered(503);
    await it.call("RM_a", "one.a.example.com");
  });

  test("of a delivery by its id lets what waited behind it go out at once, not when its retry was due", async () => {
    it.answer = () => answered(200);
    const before = it.sent.length;
    expect((await it.post("/sip/deliveries/cancel", { ids: [1] })).json).toEqual({ cancelled: 1 });
    await it.clock.turn(0);
    expect(it.sent.length).toBeGreaterThan(before);
  });

  test.each<[string, object, number]>([
    ["ids", { ids: [1, 2] }, 2],
    ["a hook", { hook: "one.a.example.com" }, 4],
    ["a call", { call: "RM_a" }, 4],
  ])("takes what is pending: %s", async (_, body, cancelled) => {
    expect((await it.post("/sip/deliveries/cancel", body)).json).toEqual({ cancelled });
    expect((await it.post("/sip/deliveries/cancel", body)).json).toEqual({ cancelled: 0 });
    const reasons = (await deliveries("?state=cancelled")).map(({ reason }) => reason);
    expect(reasons).toEqual(Array(cancelled).fill("cancelled by an operator"));
  });

  test("and nothing of it is sent any more, but what comes after is", async () => {
    await it.post("/sip/deliveries/cancel", { call: "RM_a" });
    it.answer = () => answered(200);
    const before = it.sent.length;
    await it.clock.turn(MINUTE);
    expect(it.sent.slice(before)).toHaveLength(0);
    await it.webhook("egress_ended", { room: { sid: "RM_a", name: "sip-RM_a" } });
    await it.clock.turn(MINUTE);
    expect(it.sent.slice(before)).toHaveLength(1);
  });

  test.each([
    [{}, 400],
    [{ ids: [1], call: "RM_a" }, 400],
    [{ ids: [] }, 400],
    [{ ids: [4711] }, 404],
    [{ call: "RM_none" }, 404],
    [{ hook: "none.example.com" }, 404],
  ])("%j is refused with %d, and nothing is cancelled", async (body, status) => {
    expect((await it.post("/sip/deliveries/cancel", body)).status).toBe(status);
    expect(await deliveries("?state=cancelled")).toEqual([]);
  });
});
