import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { auth } from "../../../plugins/auth";
import { HookRegistry, hooksStore } from "../../../plugins/hooks-store";
import { httpErrors } from "../../../plugins/http-errors";
import { createSqliteStorage } from "../../../plugins/storage/sqlite";
import type { Storage } from "../../../src/contracts/storage";
import { hookId, type Hook } from "../../../src/domain/hook";
import { Secret } from "../../../src/domain/secret";
import { ManualClock } from "../../support/manual-clock";
import { policy } from "../../support/policy";
import { recordingLog } from "../../support/recording-log";
import { temporaryDirectory } from "../../support/server-process";
import { pattern } from "../../support/webhooks";

const breakerOf = () => undefined;
const OPS = "ops-token-1234567890";
const TENANT = "tenant-a-token-1234567890";
const forAll = { ...policy, rate: 100 };
const fixed: Hook = {
  id: hookId(pattern("fixed.a.example.com"), "tenant-a"),
  host: pattern("fixed.a.example.com"),
  url: "https://fixed.example/hook",
  authId: "tenant-a",
  policy: { concurrency: 2, maxAge: 3_600_000, expiry: [{ events: "track_*", after: 90_000 }] },
  source: "config",
};

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let storage: Storage;
let registry: HookRegistry;
const [clock, log] = [new ManualClock(), recordingLog()];

beforeEach(async () => {
  directory = await temporaryDirectory();
  await open();
});

afterEach(async () => {
  await storage.close();
  await directory.remove();
});

async function open(): Promise<void> {
  storage = createSqliteStorage({ dataDir: directory.path, clock, log });
  registry = await HookRegistry.load({ configHooks: [fixed], policy: forAll, storage, clock, log });
}

type Answer = {
  hooks?: { host: string; delivery?: unknown; operator_delivery?: unknown }[];
  hosts?: unknown[];
  error?: { code: string; message: string; [field: string]: unknown };
};

const call = (method: string, token: string, body?: unknown) => request(method, "/sip/hooks", token, body);

async function request(
  method: string,
  path: string,
  token: string,
  body?: unknown,
): Promise<{ status: number; body: Answer }> {
  const secrets = [
    { id: "ops", secret: new Secret(OPS), role: "operator" as const, hosts: [] },
    { id: "tenant-a", secret: new Secret(TENANT), role: "tenant" as const, hosts: [pattern("*.a.example.com")] },
  ];
  const secretGrants = { ofOperators: [], ofTenants: new Map() };
  const store = hooksStore({
    auth: auth({ required: true, secrets }),
    registry,
    breakerOf,
    rules: () => ({ authRequired: true, secretGrants }),
  });
  const app = new Elysia({ normalize: false }).use(httpErrors({ log })).use(store);
  const response = await app.handle(
    new Request(`http://localhost${path}`, {
      method,
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
  return { status: response.status, body: (await response.json()) as Answer };
}

const post = (delivery: unknown, token = OPS) =>
  call("POST", token, {
    hooks: [{ host: "x.a.example.com", url: "https://x.example/", auth_id: "tenant-a", delivery }],
  });

const shown = ({ body }: { body: Answer }, host: string) => body.hooks?.find((hook) => hook.host === host)?.delivery;

const everything = {
  schedule: ["1s", "2m"],
  max_age: "1h",
  deadline: "5s",
  concurrency: 3,
  rate: 7,
  order: "none",
  events: ["participant_*", "room_finished"],
  expiry: [{ events: "track_*", after: "90s" }],
};

describe("a hook's own delivery policy", () => {
  test("is kept, shown as it was written, and counts, also after a restart", async () => {
    expect(shown(await post(everything), "x.a.example.com")).toEqual(everything);
    for (const again of [false, true]) {
      if (again) {
        await storage.close();
        await open();
      }
      const hook = registry.table.byPattern(pattern("x.a.example.com"));
      expect(hook && registry.policyOf(hook)).toEqual({
        schedule: [1_000, 120_000],
        maxAge: 3_600_000,
        deadline: 5_000,
        concurrency: 3,
        rate: 7,
        order: "none",
        events: ["participant_*", "room_finished"],
        expiry: [{ events: "track_*", after: 90_000 }],
      });
      expect(shown(await call("GET", OPS), "x.a.example.com")).toEqual(everything);
    }
  });

  test("of a hook of the configuration is shown too, and a hook without one shows none", async () => {
    const answer = await call("POST", OPS, {
      hooks: [{ host: "y.a.example.com", url: "https://y.example/", auth_id: "a" }],
    });
    expect(shown(answer, "fixed.a.example.com")).toEqual({
      concurrency: 2,
      max_age: "1h",
      expiry: [{ events: "track_*", after: "90s" }],
    });
    expect(answer.body.hooks?.find(({ host }) => host === "y.a.example.com")).not.toHaveProperty("delivery");
  });

  test("says what is wanted, and whether in order, when an event is kept", async () => {
    await post({ events: ["participant_*"] });
    const id = hookId(pattern("x.a.example.com"), "tenant-a");
    expect(registry.planDelivery(id, "participant_joined")).toBe("ordered");
    expect(registry.planDelivery(id, "track_published")).toBe("unwanted");
    await post({ order: "none" });
    expect(registry.planDelivery(id, "track_published")).toBe("unordered");
  });

  test("an operator may give more than is set for all", async () => {
    expect((await post({ concurrency: 200, rate: 10_000, max_age: "7d", deadline: "5m" })).status).toBe(200);
  });
});

describe("a tenant", () => {
  test("may ask for less", async () => {
    const less = { concurrency: 1, rate: 1, max_age: "10m", deadline: "1s", schedule: ["1s"] };
    expect(shown(await post(less, TENANT), "x.a.example.com")).toEqual(less);
  });

  test.each([
    ["concurrency", { concurrency: 11 }],
    ["rate", { rate: 101 }],
    ["max_age", { max_age: "25h" }],
    ["deadline", { deadline: "11s" }],
    ["schedule", { schedule: ["500ms"] }],
  ])("may not ask for more: %s", async (setting, delivery) => {
    const { status, body } = await post(delivery, TENANT);
    expect({ status, ...body.error }).toMatchObject({
      status: 403,
      code: "delivery_not_allowed",
      setting,
      host: "x.a.example.com",
    });
    expect(registry.table.byPattern(pattern("x.a.example.com"))).toBeUndefined();
  });
});

describe("what an operator sets of a tenant's hook", () => {
  const HOST = "x.a.example.com";
  const set = { concurrency: 2, rate: 5, events: ["participant_*"] };
  const view = ({ body }: { body: Answer }) => {
    const { delivery, operator_delivery } = body.hooks?.find((hook) => hook.host === HOST) ?? {};
    return { delivery, operator_delivery };
  };
  const effective = () => {
    const hook = registry.table.byPattern(pattern(HOST));
    return hook === undefined ? undefined : registry.policyOf(hook);
  };

  test("stays when the tenant replaces the hook and leaves it out, also after a restart", async () => {
    await post(set);
    expect(view(await post(undefined, TENANT))).toEqual({ delivery: set, operator_delivery: set });
    expect(effective()).toMatchObject({ concurrency: 2, rate: 5, events: ["participant_*"] });
    await storage.close();
    await open();
    expect(effective()).toMatchObject({ concurrency: 2, rate: 5, events: ["participant_*"] });
    expect(view(await call("GET", TENANT))).toEqual({ delivery: set, operator_delivery: set });
  });

  test("may be undercut by the tenant, and comes back when the tenant leaves that out again", async () => {
    await post(set);
    const less = { rate: 1, deadline: "5s", events: ["room_*"] };
    expect(view(await post(less, TENANT))).toEqual({ delivery: { ...set, ...less }, operator_delivery: set });
    expect(view(await post(undefined, TENANT))).toEqual({ delivery: set, operator_delivery: set });
  });

  test("may be repeated by the tenant as it is shown", async () => {
    await post(set);
    const { delivery } = view(await post({ rate: 1 }, TENANT));
    expect(view(await post(delivery, TENANT))).toEqual({ delivery, operator_delivery: set });
  });

  test.each([
    ["concurrency", { concurrency: 3 }],
    ["rate", { rate: 6 }],
  ])("may not be exceeded by the tenant, within what is set for all either: %s", async (setting, delivery) => {
    await post(set);
    const { status, body } = await post(delivery, TENANT);
    expect({ status, ...body.error }).toMatchObject({ status: 403, code: "delivery_not_allowed", setting, host: HOST });
    expect(effective()).toMatchObject({ concurrency: 2, rate: 5 });
  });

  test("may be more than is set for all, and then the tenant may ask for as much", async () => {
    await post({ concurrency: 50 });
    expect((await post({ concurrency: 51 }, TENANT)).status).toBe(403);
    expect(view(await post({ concurrency: 50 }, TENANT)).delivery).toEqual({ concurrency: 50 });
  });

  test("goes when an operator replaces the hook without it, and with what the tenant asked for", async () => {
    await post(set);
    await post({ rate: 1 }, TENANT);
    expect(view(await post(undefined))).toEqual({ delivery: undefined, operator_delivery: undefined });
    expect(effective()).toEqual(forAll);
  });

  test("is no reason to refuse a new url when it would not fit what is set for all by now", async () => {
    await post({ max_age: "20h", schedule: ["19h"] });
    registry = await HookRegistry.load({
      configHooks: [fixed],
      policy: { ...forAll, deadline: 100 * 3_600_000 },
      storage,
      clock,
      log,
    });
    expect((await post(undefined, TENANT)).status).toBe(200);
    expect((await post({ rate: 1 }, TENANT)).body.error?.code).toBe("invalid_delivery");
  });

  test("is not told to another tenant: a host that it may not touch is forbidden whatever it asks for", async () => {
    await call("POST", OPS, {
      hooks: [{ host: "y.a.example.com", url: "https://y.example/", auth_id: "b", delivery: set }],
    });
    const hooks = [{ host: "y.a.example.com", url: "https://x.example/", delivery: { rate: 6 } }];
    const { status, body } = await call("POST", TENANT, { hooks });
    expect([status, body.error?.code]).toEqual([403, "forbidden"]);
  });

  test("is what the tenant asked for too when a version of it is gone back to", async () => {
    await post(set);
    await post({ rate: 1 }, TENANT);
    await post(undefined);
    const rolledBack = await request("POST", "/sip/hooks/rollback", OPS, { version: 2 });
    expect(view(rolledBack)).toEqual({ delivery: { ...set, rate: 1 }, operator_delivery: set });
    const compared = await request("GET", "/sip/hooks/versions/1/compare/2", OPS);
    expect(compared.body.hosts).toMatchObject([
      { before: { delivery: set, operator_delivery: set }, after: { delivery: { ...set, rate: 1 } } },
    ]);
  });
});

test.each([
  ["waits beyond max_age", { max_age: "5m" }, "schedule"],
  ["a deadline beyond max_age", { max_age: "5s", schedule: ["1s"] }, "deadline"],
  ["an expiry beyond max_age", { expiry: [{ events: "*", after: "2d" }] }, "expiry.0.after"],
])("%s is refused", async (_, delivery, setting) => {
  const { status, body } = await post(delivery);
  expect({ status, ...body.error }).toMatchObject({ status: 400, code: "invalid_delivery", setting });
});

test.each<[string, unknown]>([
  ["an unknown setting", { retries: 3 }],
  ["a duration without unit", { max_age: "10" }],
  ["no time at all", { deadline: "0s" }],
  ["too much concurrency", { concurrency: 201 }],
  ["no rate", { rate: 0 }],
  ["a number as a text", { rate: "5" }],
  ["no waits", { schedule: [] }],
  ["another order", { order: "room" }],
  ["a name that is none", { events: ["participant joined"] }],
  ["no events", { events: [] }],
])("%s is refused", async (_, delivery) => {
  const { status, body } = await post(delivery);
  expect([status, body.error?.code]).toEqual([400, "invalid_request"]);
});
