import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { failStatement, type Statement } from "../../support/failing-statements";
import { A, answered } from "../../support/started-service";
import { deliveries, giveUpOnA, it, MINUTE, serviceForEach } from "./service-for-each";

serviceForEach();

let recover = () => {};

afterEach(() => recover());

function fail(statement: Statement): void {
  const end = failStatement(it.dataDir, statement);
  recover = () => {
    end();
    recover = () => {};
  };
}

const notSaved = {
  status: 500,
  json: {
    error: {
      code: "deliveries_not_saved",
      message: "Not all of the deliveries could be saved",
      hint: expect.stringContaining("Send the same request again"),
    },
  },
};

describe("a replay that cannot be written", () => {
  test.each<[string, object | ((id: number) => object), number]>([
    ["one", (id) => ({ delivery: id }), 1],
    ["a call", { call: "RM_a" }, 4],
    ["a hook", { hook: "one.a.example.com" }, 4],
  ])(
    "%s: is answered so, without the cause, sends nothing, and works when it is sent again",
    async (_, body, count) => {
      await giveUpOnA();
      const [last] = await deliveries("?state=dead");
      const request = typeof body === "function" ? body(last?.id ?? 0) : body;
      const before = it.sent.length;
      fail({ operation: "insert", table: "deliveries" });
      const answer = await it.post("/sip/replay", request, A);
      expect(answer).toMatchObject(notSaved);
      expect(answer.text).not.toContain("injected");
      expect(it.log.lines.some(({ fields }) => String(fields.err).includes("injected write error"))).toBe(true);
      // Nothing is to be saved by asking.
      expect((await it.post("/sip/replay", { ...request, dry_run: true }, A)).json).toMatchObject({ queued: count });
      await it.clock.turn(MINUTE);
      expect(it.sent).toHaveLength(before);
      recover();
      expect((await it.post("/sip/replay", request, A)).json).toMatchObject({ queued: count });
    },
  );

  test("calls that found no hook: the same", async () => {
    await it.call("RM_late", "late.a.example.com");
    await it.clock.turn(MINUTE);
    await it.post("/sip/hooks", { hooks: [{ host: "late.a.example.com", url: "https://late.example/hook" }] }, A);
    fail({ operation: "insert", table: "lanes" });
    expect(await it.post("/sip/replay", { unmatched: {} }, A)).toMatchObject(notSaved);
    recover();
    expect((await it.post("/sip/replay", { unmatched: {} }, A)).json).toMatchObject({ queued: 4 });
  });

  test("what could be queued before the failure goes out, and a second request queues the rest", async () => {
    it.answer = () => answered(400);
    for (let i = 0; i < 30; i++) await it.call(`RM_${i}`, "one.a.example.com");
    await it.clock.turn(MINUTE);
    const before = it.sent.length;
    it.answer = () => answered(200);
    // 100 are queued in one transaction.
    fail({ operation: "insert", table: "deliveries", when: "new.event > 110" });
    expect(await it.post("/sip/replay", { hook: "one.a.example.com" }, A)).toMatchObject(notSaved);
    await it.clock.turn(MINUTE);
    expect(it.sent.length - before).toBe(100);
    recover();
    expect((await it.post("/sip/replay", { hook: "one.a.example.com" }, A)).json).toMatchObject({ queued: 20 });
  });

  test("what is refused for itself is answered as ever", async () => {
    fail({ operation: "insert", table: "deliveries" });
    expect(await it.post("/sip/replay", { delivery: 4711 }, A)).toMatchObject({ status: 404 });
    expect(await it.post("/sip/replay", {}, A)).toMatchObject({ status: 400 });
  });
});

describe("a cancelling that cannot be written", () => {
  beforeEach(async () => {
    it.answer = () => answered(503);
    await it.call("RM_a", "one.a.example.com");
  });

  test.each<[string, object, number]>([
    ["ids", { ids: [1, 2] }, 2],
    ["a hook", { hook: "one.a.example.com" }, 4],
    ["a call", { call: "RM_a" }, 4],
  ])("%s: is answered so, cancels nothing, and works when it is sent again", async (_, body, cancelled) => {
    fail({ operation: "update", table: "deliveries" });
    const answer = await it.post("/sip/deliveries/cancel", body, A);
    expect(answer).toMatchObject(notSaved);
    expect(answer.text).not.toContain("injected");
    expect(await deliveries("?state=cancelled")).toEqual([]);
    recover();
    expect((await it.post("/sip/deliveries/cancel", body, A)).json).toEqual({ cancelled });
  });
});
