import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/domain/json";
import { A, answered } from "../../support/started-service";
import { deliveries, type Delivery, giveUpOnA, it, MINUTE, serviceForEach } from "./service-for-each";

serviceForEach();

describe("deliveries", () => {
  test("what did not arrive is listed with its reason, and each attempt is shown", async () => {
    await giveUpOnA();
    const dead = await deliveries("?state=dead");
    expect(dead.map(({ event }) => event)).toEqual([
      "room_finished",
      "participant_left",
      "participant_joined",
      "room_started",
    ]);
    expect(dead[0]).toMatchObject({
      hook: { host: "one.a.example.com", auth_id: "tenant-a" },
      room: "sip-RM_a",
      room_sid: "RM_a",
      attempt_count: 3,
      reason: "the hook refused this event 3 times",
      replay: false,
    });
    const { json } = await it.get(`/sip/deliveries/${dead[0]?.id}`);
    const { attempts } = json.delivery as { attempts: JsonObject[] };
    expect(attempts).toHaveLength(3);
    expect(attempts[0]).toMatchObject({ n: 1, status: 400, duration_ms: 7, answer_start: "no <such> thing" });
  });

  test("what waits says when it is tried next, or what it waits for", async () => {
    it.answer = () => answered(503);
    await it.call("RM_a", "one.a.example.com");
    await it.clock.turn(100);
    const [last, , , first] = await deliveries();
    expect(first).toMatchObject({ state: "pending", next_try: expect.any(String) as unknown });
    expect(last).toMatchObject({ state: "pending", waits_for: first?.id ?? 0 });
  });

  describe("what waits and cannot go out", () => {
    const pendingOfCall = async (): Promise<Delivery[]> => {
      const { call } = (await it.get("/sip/calls/RM_a")).json as { call: { events: { deliveries: Delivery[] }[] } };
      return call.events.flatMap((event) => event.deliveries);
    };
    /** The same delivery in each of the three answers. */
    const shownEverywhere = async (id: number): Promise<object> => {
      const shown = [
        (await deliveries()).find((delivery) => delivery.id === id),
        (await it.get(`/sip/deliveries/${id}`)).json.delivery as Delivery,
        (await pendingOfCall()).find((delivery) => delivery.id === id),
      ];
      const [listed = {}, alone, inItsCall] = shown.map((delivery) => pick(delivery));
      expect([alone, inItsCall]).toEqual([listed, listed]);
      return listed;
    };
    const pick = ({ next_try: next, delayed_by: delayedBy, waits_for: waitsFor }: Partial<Delivery> = {}) =>
      JSON.parse(JSON.stringify({ next, delayedBy, waitsFor })) as object;
    const nextProbe = async (): Promise<string | undefined> => {
      const hooks = (await it.get("/sip/hooks")).json.hooks as { host: string; breaker?: { next_probe: string } }[];
      return hooks.find(({ host }) => host === "one.a.example.com")?.breaker?.next_probe;
    };

    test("has no next try while its hook is paused, and says so; resumed it has one", async () => {
      it.answer = () => answered(503);
      await it.call("RM_a", "one.a.example.com");
      await it.clock.turn(100);
      const [first, second] = await pendingOfCall();
      await it.post("/sip/hooks/pause", { hosts: ["one.a.example.com"] });
      expect(await shownEverywhere(first?.id ?? 0)).toEqual({ delayedBy: "pause" });
      const behind = { delayedBy: "pause", waitsFor: first?.id };
      expect(await shownEverywhere(second?.id ?? 0)).toEqual(behind);
      await it.post("/sip/hooks/resume", { hosts: ["one.a.example.com"] });
      expect(await shownEverywhere(first?.id ?? 0)).toEqual({ next: expect.any(String) as unknown });
    });

    test("goes out with a probe of the open breaker, and not before, whenever its own time is", async () => {
      it.answer = () => answered(503);
      await it.call("RM_a", "one.a.example.com");
      await it.call("RM_b", "one.a.example.com");
      // Until the breaker is open, and a probe has failed: the next one is later than what a first retry waits.
      await it.clock.turn(MINUTE);
      const probe = await nextProbe();
      const [first, second] = await pendingOfCall();
      expect(Date.parse(probe ?? "")).toBeGreaterThan(it.clock.now());
      const probed = { next: probe, delayedBy: "breaker" };
      expect(await shownEverywhere(first?.id ?? 0)).toEqual(probed);
      const behind = { delayedBy: "breaker", waitsFor: first?.id };
      expect(await shownEverywhere(second?.id ?? 0)).toEqual(behind);
    });

    test("what has ended says nothing of it", async () => {
      await giveUpOnA();
      await it.post("/sip/hooks/pause", { hosts: ["one.a.example.com"] });
      const [dead] = await deliveries("?state=dead");
      expect(await shownEverywhere(dead?.id ?? 0)).toEqual({});
    });
  });

  test("an error's message is for operators: a tenant gets step and code", async () => {
    it.answer = () => ({
      kind: "failed",
      step: "connect",
      code: "ECONNREFUSED",
      message: "connect ECONNREFUSED 10.20.0.7:443",
      durationMs: 1,
    });
    await it.call("RM_a", "one.a.example.com");
    await it.clock.turn(100);
    const [last] = (await deliveries("", A)).toReversed();
    const asTenant = await it.get(`/sip/deliveries/${last?.id}`, A);
    expect(asTenant.text).toContain('"error":{"step":"connect","code":"ECONNREFUSED"}');
    expect(asTenant.text).not.toContain("10.20.0.7");
    expect((await it.get("/sip/calls/RM_a", A)).text).not.toContain("10.20.0.7");
    expect((await it.get(`/sip/deliveries/${last?.id}`)).text).toContain("10.20.0.7:443");
  });

  test("filters combine, and pages follow each other", async () => {
    await giveUpOnA();
    await it.call("RM_b", "one.b.example.com");
    expect(await deliveries("?hook=ONE.a.example.com.&state=dead,expired&event=room_started")).toHaveLength(1);
    expect(await deliveries("?auth_id=tenant-b")).toHaveLength(4);
    expect(await deliveries("?room=sip-RM_b&state=delivered")).toHaveLength(4);
    expect(await deliveries("?call=RM_b&since=2030-01-01T00:00:00Z")).toEqual([]);
    const seen: number[] = [];
    for (let cursor = ""; ;) {
      const { json } = await it.get(`/sip/deliveries?limit=3${cursor}`);
      seen.push(...(json.deliveries as Delivery[]).map(({ id }) => id));
      if (json.next === undefined) break;
      cursor = `&cursor=${json.next as string}`;
    }
    expect(seen).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
  });

  test.each([
    ["?limit=0", "invalid_request"],
    ["?limit=501", "invalid_request"],
    ["?limit=many", "invalid_request"],
    ["?state=lost", "invalid_request"],
    ["?since=yesterday", "invalid_request"],
    ["?since=2026-02-31T00:00:00Z", "invalid_request"],
    ["?stat=dead", "invalid_request"],
    ["?cursor=xyz", "invalid_cursor"],
  ])("400 for %s", async (query, code) => {
    const answer = await it.get(`/sip/deliveries${query}`);
    expect([answer.status, (answer.json.error as JsonObject).code]).toEqual([400, code]);
  });

  test.each([
    ["?limit=0", "query/limit", "Expected integer to be greater or equal to 1"],
    ["?limit=501", "query/limit", "Expected integer to be less or equal to 500"],
    ["/0", "params/id", "Expected integer to be greater or equal to 1"],
    ["?since=yesterday", "query/since", "Expected a time such as 2026-11-21T22:50:00Z"],
    ["?state=lost", "query/state", expect.stringContaining("One or more of pending, delivered, dead,")],
  ])("%s is told what is wrong where", async (path, field, message: unknown) => {
    const { error } = (await it.get(`/sip/deliveries${path}`)).json as { error: { problems: unknown } };
    expect(error.problems).toEqual([{ field, message }]);
  });

  test.each(["0", "x", "1.5", "99999999999999999999"])(
    "400 for the id %s, and 404 for one that is not there",
    async (id) => {
      expect((await it.get(`/sip/deliveries/${id}`)).status).toBe(400);
      expect((await it.get("/sip/deliveries/4711")).status).toBe(404);
    },
  );
});
