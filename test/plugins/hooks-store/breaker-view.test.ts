import { afterEach, beforeEach, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/domain/json";
import { A, answered, B, OPS, StartedService } from "../../support/started-service";

const HOST = "one.a.example.com";

let it: StartedService;

beforeEach(async () => {
  it = await StartedService.start();
});

afterEach(() => it.end());

const hook = async (token = OPS) =>
  ((await it.get("/sip/hooks", token)).json.hooks as JsonObject[]).find(({ host }) => host === HOST);
const explained = async () =>
  (await it.post("/sip/explain", { host: HOST })).json as { hooks: JsonObject[]; steps: { message: string }[] };

/** Calls whose first events all fail. */
async function breakDown(): Promise<void> {
  it.answer = () => answered(503);
  for (let i = 0; i < 5; i++) await it.call(`RM_${i}`, HOST);
}

test("a hook whose breaker is open says so: why, since when, and when it is tried again", async () => {
  expect(await hook()).not.toHaveProperty("breaker");
  expect((await explained()).hooks[0]).not.toHaveProperty("breaker");
  await breakDown();
  const breaker = {
    state: "open",
    reason: "5 attempts in a row failed",
    since: expect.any(String),
    next_probe: expect.any(String),
  };
  expect(await hook()).toMatchObject({ state: "active", breaker });
  // Its tenant sees it too.
  const shown = (await hook(A))?.breaker as { since: string; next_probe: string };
  expect(Date.parse(shown.next_probe) - Date.parse(shown.since)).toBe(1_000);
  expect(Date.parse(shown.since)).toBeWithin(it.clock.now() - 20, it.clock.now() + 1);
  expect((await it.get("/sip/hooks", B)).text).not.toContain("breaker");
  const { hooks, steps } = await explained();
  expect(hooks).toMatchObject([{ host: HOST, state: "active", breaker }]);
  expect(steps.map(({ message }) => message)).toContain(
    "Its endpoint is taken not to work (5 attempts in a row failed): what it gets waits.",
  );
});

test("the next probe moves on with each one that fails; the first that succeeds ends it", async () => {
  await breakDown();
  await it.clock.turn(1_000);
  const shown = (await hook())?.breaker as { since: string; next_probe: string };
  expect(Date.parse(shown.next_probe) - Date.parse(shown.since)).toBe(3_000);
  it.answer = () => answered(200);
  await it.clock.turn(2_000);
  expect(await hook()).not.toHaveProperty("breaker");
});

test("a replaced hook begins anew", async () => {
  await breakDown();
  await it.post("/sip/hooks/pause", { hosts: [HOST] });
  expect(await hook()).toMatchObject({ state: "paused", breaker: { state: "open" } });
  await it.post("/sip/hooks/resume", { hosts: [HOST] });
  expect(await hook()).not.toHaveProperty("breaker");
});
