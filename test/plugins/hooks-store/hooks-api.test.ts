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
import { recordingLog } from "../../support/recording-log";
import { temporaryDirectory } from "../../support/server-process";
import { policy } from "../../support/policy";
import { incoming, matchOf, pattern, webhookJson } from "../../support/webhooks";

const OPS = "ops-token-1234567890";
const A = "tenant-a-token-1234567890";
const B = "tenant-b-token-1234567890";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clock: ManualClock;
let storage: Storage;
let registry: HookRegistry;
let log: ReturnType<typeof recordingLog>;
let required: boolean;

const fixed: Hook = {
  id: hookId(pattern("fixed.a.example.com"), "tenant-a"),
  host: pattern("fixed.a.example.com"),
  url: "https://fixed.example/hook",
  authId: "tenant-a",
  source: "config",
};

beforeEach(async () => {
  directory = await temporaryDirectory();
  clock = new ManualClock();
  log = recordingLog();
  required = true;
  storage = createSqliteStorage({ dataDir: directory.path, clock, log });
  registry = await HookRegistry.load({ configHooks: [fixed], policy, storage, clock, log });
});

afterEach(async () => {
  await storage.close();
  await directory.remove();
});

async function call(
  method: string,
  body: unknown,
  token: string | undefined,
): Promise<{ status: number; body: Answer; headers: Headers }> {
  const secret = (id: string, value: string, role: "operator" | "tenant", hosts: string[]) => {
    return { id, secret: new Secret(value), role, hosts: hosts.map(pattern) };
  };
  const secrets = [
    secret("ops", OPS, "operator", []),
    secret("tenant-a", A, "tenant", ["*.a.example.com", "shared.example.com"]),
    secret("tenant-b", B, "tenant", ["*.b.example.com", "shared.example.com"]),
  ];
  const app = new Elysia({ normalize: false }).use(httpErrors({ log })).use(
    hooksStore({
      auth: auth({ required, secrets }),
      registry,
      breakerOf: () => undefined,
      rules: () => ({
        authRequired: required,
        secretGrants: {
          ofOperators: ["env:ALLOWED"],
          ofTenants: new Map([
            ["tenant-a", ["env:OF_A", "file:/run/a.pem"]],
            ["tenant-b", ["env:OF_B"]],
          ]),
        },
      }),
    }),
  );
  const response = await app.handle(
    new Request("http://localhost/sip/hooks", {
      method,
      headers: {
        "x-request-id": "test",
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
  return { status: response.status, body: (await response.json()) as Answer, headers: response.headers };
}

type Answer = {
  hooks?: Record<string, unknown>[];
  error?: { code: string; message: string; [field: string]: unknown };
};

const get = (token = OPS) => call("GET", undefined, token);
const post = (hooks: unknown, token = OPS) => call("POST", { hooks }, token);
const remove = (hosts: string[], token = OPS) => call("DELETE", { hosts }, token);
const hook = (host: string, auth_id = "tenant-a", url = "https://hooks.example/1") => ({ host, url, auth_id });
const hosts = (answer: { body: Answer }) => answer.body.hooks?.map((entry) => entry.host);

describe("operators", () => {
  test("see the whole table: host, url, auth_id, where it comes from, its state", async () => {
    await post([hook("x.a.example.com")]);
    expect((await get()).body.hooks).toEqual([
      { host: "fixed.a.example.com", url: fixed.url, auth_id: "tenant-a", source: "config", state: "active" },
      {
        host: "x.a.example.com",
        url: "https://hooks.example/1",
        auth_id: "tenant-a",
        source: "runtime",
        state: "active",
      },
    ]);
  });

  test("seed: hooks with matching hosts are replaced whatever their case, others are added, and the table is answered", async () => {
    await post([hook("one.example.com"), hook("two.example.com")]);
    const answer = await post([
      hook("ONE.Example.com.", "tenant-a", "https://hooks.example/2"),
      hook("three.example.com"),
    ]);
    expect(answer.status).toBe(200);
    expect(answer.body.hooks?.map(({ host, url }) => [host, url])).toEqual([
      ["fixed.a.example.com", fixed.url],
      ["one.example.com", "https://hooks.example/2"],
      ["two.example.com", "https://hooks.example/1"],
      ["three.example.com", "https://hooks.example/1"],
    ]);
  });

  test("seed: changes persist: a new registry on the same storage has them", async () => {
    await post([hook("one.example.com")]);
    const again = await HookRegistry.load({ configHooks: [fixed], policy, storage, clock, log });
    expect(again.table.all().map(({ host }) => String(host))).toEqual(["fixed.a.example.com", "one.example.com"]);
  });

  test.each([
    [
      "seed: duplicate hosts in one request",
      [hook("one.example.com"), hook("ONE.example.com")],
      "duplicate_host",
      "Duplicate SIP hook host",
    ],
    [
      "seed: a URL that is not HTTPS",
      [hook("one.example.com", "t", "http://hooks.example/1")],
      "insecure_url",
      "SIP hook URL must be HTTPS",
    ],
    [
      "a URL that only looks like HTTPS",
      [hook("one.example.com", "t", "https:hooks.example")],
      "insecure_url",
      "SIP hook URL must be HTTPS",
    ],
    ["a URL without a host", [hook("one.example.com", "t", "https://")], "invalid_url", "SIP hook URL is not valid"],
    [
      "a URL with a password",
      [hook("one.example.com", "t", "https://u:p@hooks.example/")],
      "invalid_url",
      "SIP hook URL is not valid",
    ],
    [
      "seed: a missing auth_id when authentication is on",
      [{ host: "one.example.com", url: "https://x.example/" }],
      "auth_id_required",
      "auth_id is required",
    ],
    ["a host with a space", [hook("one example.com")], "invalid_host", "SIP hook host is not a host"],
    ["a wildcard over one label", [hook("*.com")], "invalid_host", "SIP hook host is not a host"],
    ["a host with a per cent sign", [hook("one%2eexample.com")], "invalid_host", "SIP hook host is not a host"],
    ["a secret as it is", [{ ...hook("one.example.com"), secret: "whsec_x" }], "secret_not_allowed", "not allowed"],
    [
      "a secret reference that is not listed",
      [{ ...hook("one.example.com"), secret: "env:HOME" }],
      "secret_not_allowed",
      "not allowed",
    ],
    ["an unknown member", [{ ...hook("one.example.com"), hots: "x" }], "invalid_request", ""],
    ["no list", "one.example.com", "invalid_request", ""],
  ])("400, and nothing is changed: %s", async (_, hooks, code, message) => {
    await post([hook("kept.example.com")]);
    const answer = await post(Array.isArray(hooks) ? [hook("good.example.com"), ...hooks] : hooks);
    expect(answer.status).toBe(400);
    expect(answer.body.error?.code).toBe(code);
    expect(answer.body.error?.message).toContain(message);
    expect(hosts(await get())).toEqual(["fixed.a.example.com", "kept.example.com"]);
  });

  test("seed: 405 for a host of the configuration, naming it, and nothing is changed", async () => {
    const answer = await post([hook("new.example.com"), hook("FIXED.a.example.com")]);
    expect(answer.status).toBe(405);
    expect(answer.body.error).toMatchObject({ code: "config_host", hosts: ["fixed.a.example.com"] });
    expect(answer.headers.get("allow")).toBe("GET");
    expect((await remove(["fixed.a.example.com"])).status).toBe(405);
    expect(hosts(await get())).toEqual(["fixed.a.example.com"]);
  });

  test("a listed secret reference is kept as a reference, and nothing else of it", async () => {
    const answer = await post([{ ...hook("one.example.com"), secret: "env:ALLOWED" }]);
    expect(answer.body.hooks?.at(-1)).toMatchObject({ secret: "env:ALLOWED" });
  });

  test("credentials and a secret that is being replaced are kept and shown as references", async () => {
    const secrets = {
      secret: "env:OF_A",
      previous_secret: { secret: "env:ALLOWED", until: "2030-01-31T13:00:00+01:00" },
      credentials: {
        basic: { username: "sayna", password: "env:OF_A" },
        header: { name: "X-Api-Key", value: "env:ALLOWED" },
        client_certificate: { certificate: "file:/run/a.pem", key: "file:/run/a.pem" },
      },
    };
    const answer = await post([{ ...hook("one.example.com"), ...secrets }]);
    const shown = { ...secrets, previous_secret: { secret: "env:ALLOWED", until: "2030-01-31T12:00:00.000Z" } };
    expect(answer.body.hooks?.at(-1)).toMatchObject(shown);
    const again = await HookRegistry.load({ configHooks: [fixed], policy, storage, clock, log });
    expect(again.table.byPattern(pattern("one.example.com"))).toMatchObject({
      secret: { kind: "env", name: "OF_A" },
      previousSecret: { secret: { kind: "env", name: "ALLOWED" }, until: Date.parse("2030-01-31T12:00:00Z") },
      credentials: {
        authorization: { kind: "basic", username: "sayna", password: { kind: "env", name: "OF_A" } },
        header: { name: "X-Api-Key", value: { kind: "env", name: "ALLOWED" } },
        clientCertificate: { certificate: { kind: "file", path: "/run/a.pem" } },
      },
    });
  });

  test("a replaced hook has the credentials of its new entry only", async () => {
    await post([{ ...hook("one.example.com"), credentials: { bearer: "env:ALLOWED" } }]);
    const answer = await post([hook("one.example.com")]);
    expect(answer.body.hooks?.at(-1)).not.toHaveProperty("credentials");
  });

  test("literals of the configuration are shown as that they are literals", async () => {
    const literal = { kind: "literal", value: new Secret("hunter2") } as const;
    const config: Hook = {
      ...fixed,
      secret: literal,
      previousSecret: { secret: literal, until: 0 },
      credentials: { authorization: { kind: "bearer", token: literal } },
    };
    registry = await HookRegistry.load({ configHooks: [config], policy, storage, clock, log });
    const { body } = await get();
    expect(body.hooks?.[0]).toMatchObject({
      previous_secret: { secret: "literal" },
      credentials: { bearer: "literal" },
    });
    expect(JSON.stringify(body)).not.toContain("hunter2");
  });

  test.each<[string, object, string]>([
    ["bearer and basic", { bearer: "env:OF_A", basic: { username: "u", password: "env:OF_A" } }, "invalid_credentials"],
    ["a header of ours", { header: { name: "Webhook-Id", value: "env:OF_A" } }, "invalid_credentials"],
    ["a colon in a user name", { basic: { username: "a:b", password: "env:OF_A" } }, "invalid_credentials"],
    ["a token as it is", { bearer: "hunter2" }, "secret_not_allowed"],
    ["a reference that nobody listed", { bearer: "env:HOME" }, "secret_not_allowed"],
    [
      "a key that nobody listed",
      { client_certificate: { certificate: "env:OF_A", key: "file:/k" } },
      "secret_not_allowed",
    ],
    ["a certificate without key", { client_certificate: { certificate: "env:OF_A" } }, "invalid_request"],
    ["something else", { digest: "env:OF_A" }, "invalid_request"],
  ])("400 for credentials with %s, which is not repeated", async (_, credentials, code) => {
    const answer = await post([{ ...hook("one.example.com"), credentials }]);
    expect([answer.status, answer.body.error?.code]).toEqual([400, code]);
    expect(JSON.stringify(answer.body)).not.toContain("hunter2");
    expect(hosts(await get())).toEqual(["fixed.a.example.com"]);
  });

  test.each(["tomorrow", "2030-01-31", "2030-02-31T00:00:00Z"])("400 for a secret that ends %s", async (until) => {
    const answer = await post([{ ...hook("one.example.com"), previous_secret: { secret: "env:OF_A", until } }]);
    expect([answer.status, answer.body.error?.code]).toEqual([400, "invalid_request"]);
  });

  test("an operator may name a tenant's reference for this tenant's hooks only", async () => {
    const bearer = { credentials: { bearer: "env:OF_B" } };
    expect((await post([{ ...hook("one.example.com", "tenant-b"), ...bearer }])).status).toBe(200);
    const answer = await post([{ ...hook("two.example.com", "tenant-a"), ...bearer }]);
    expect(answer.body.error?.code).toBe("secret_not_allowed");
  });

  test("deleting removes all of them or none", async () => {
    await post([hook("one.example.com"), hook("two.example.com")]);
    const refused = await remove(["one.example.com", "none.example.com"]);
    expect(refused.status).toBe(404);
    expect(refused.body.error).toMatchObject({ code: "hook_not_found", hosts: ["none.example.com"] });
    expect(hosts(await remove(["ONE.example.com"]))).toEqual(["fixed.a.example.com", "two.example.com"]);
  });

  test("seed: 500 with nothing changed when the store cannot write", async () => {
    await post([hook("one.example.com")]);
    storage.changeHooks = () => Promise.reject(new Error("SQLITE_FULL: database or disk is full"));
    const answer = await post([hook("two.example.com")]);
    expect(answer.status).toBe(500);
    expect(answer.body.error?.code).toBe("hooks_not_saved");
    expect(JSON.stringify(answer.body)).not.toContain("SQLITE");
    expect(log.text()).toContain("SQLITE_FULL");
    expect(hosts(await get())).toEqual(["fixed.a.example.com", "one.example.com"]);
  });

  test("10,000 hooks are taken in one request, and no more, which the error says", async () => {
    const many = Array.from({ length: 10_001 }, (_, i) => hook(`h${i}.example.com`, `tenant-${i % 100}`));
    const refused = await post(many);
    expect(refused.status).toBe(400);
    expect(refused.body.error).toMatchObject({
      code: "invalid_request",
      problems: [{ field: "body/hooks", message: "Expected array length to be less or equal to 10000" }],
    });
    const answer = await post(many.slice(1));
    expect(answer.status).toBe(200);
    expect(hosts(answer)).toEqual(["fixed.a.example.com", ...many.slice(1).map(({ host }) => host)]);
    expect(hosts(await remove(many.slice(2).map(({ host }) => host)))).toEqual([
      "fixed.a.example.com",
      "h1.example.com",
    ]);
  });

  test("a body that is too large is refused with the size that may come", async () => {
    const answer = await post([hook(`${"x".repeat(4 * 1024 * 1024)}.example.com`)]);
    expect(answer.status).toBe(413);
    expect(answer.body.error).toMatchObject({ code: "payload_too_large" });
    expect(answer.body.error?.message).toContain("4MiB");
  });

  test("concurrent updates do not lose each other", async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => post([hook(`h${i}.example.com`)])));
    expect(hosts(await get())).toHaveLength(21);
  });

  test("each change is recorded: who, when, before and after", async () => {
    await post([hook("one.example.com")]);
    await post([hook("x.a.example.com")], A);
    expect(await storage.hookVersions(10)).toMatchObject([
      { who: "tenant-a", hosts: ["x.a.example.com"] },
      { who: "ops", at: clock.now(), hosts: ["one.example.com"] },
    ]);
    const [difference] = await storage.hookDifferences(1, 2);
    expect(difference).toMatchObject({ host: "x.a.example.com", after: { authId: "tenant-a" } });
  });

  test("without authentication auth_id may be missing, and the caller is anonymous", async () => {
    required = false;
    const answer = await call("POST", { hooks: [{ host: "one.example.com", url: "https://x.example/" }] }, undefined);
    expect(answer.status).toBe(200);
    expect((await storage.hookVersions(1))[0]?.who).toBe("anonymous");
  });
});

describe("tenants", () => {
  test("may name their own references, and nobody else's: a token would go out in clear to an url of their choice", async () => {
    const own = await post([{ ...hook("x.a.example.com"), credentials: { bearer: "env:OF_A" } }], A);
    expect(own.status).toBe(200);
    for (const reference of ["env:OF_B", "env:ALLOWED", "env:HOME"]) {
      const uses = [
        { secret: reference },
        { previous_secret: { secret: reference, until: "2030-01-31T12:00:00Z" } },
        { credentials: { bearer: reference } },
        { credentials: { basic: { username: "u", password: reference } } },
        { credentials: { header: { name: "X-Api-Key", value: reference } } },
        { credentials: { client_certificate: { certificate: "env:OF_A", key: reference } } },
        { credentials: { client_certificate: { certificate: reference, key: "env:OF_A" } } },
      ];
      for (const use of uses) {
        const answer = await post([{ ...hook("y.a.example.com"), ...use }], A);
        expect([use, answer.body.error?.code]).toEqual([use, "secret_not_allowed"]);
      }
    }
  });

  test("cannot point a hook with an operator's credentials elsewhere and keep them", async () => {
    await post([{ ...hook("x.a.example.com"), credentials: { bearer: "env:ALLOWED" } }]);
    const kept = { credentials: { bearer: "env:ALLOWED" } };
    expect((await post([{ ...hook("x.a.example.com"), ...kept }], A)).body.error?.code).toBe("secret_not_allowed");
    const answer = await post([hook("x.a.example.com", "tenant-a", "https://elsewhere.example/")], A);
    expect(answer.body.hooks?.at(-1)).toMatchObject({ url: "https://elsewhere.example/" });
    expect(answer.body.hooks?.at(-1)).not.toHaveProperty("credentials");
  });

  beforeEach(async () => {
    await post([hook("x.b.example.com", "tenant-b"), hook("operators.a.example.com", "tenant-b")]);
  });

  test("see the hooks of their own auth_id only", async () => {
    await post([hook("x.a.example.com")], A);
    expect(hosts(await get(A))).toEqual(["fixed.a.example.com", "x.a.example.com"]);
    expect(hosts(await get(B))).toEqual(["x.b.example.com", "operators.a.example.com"]);
  });

  test("a missing auth_id becomes their own", async () => {
    const answer = await post([{ host: "x.a.example.com", url: "https://x.example/" }], A);
    expect(answer.body.hooks?.at(-1)).toMatchObject({ auth_id: "tenant-a" });
  });

  test.each([
    ["a host outside its hosts, free", [hook("free.example.com")]],
    ["a host outside its hosts, somebody's", [hook("x.b.example.com")]],
    ["a host within its hosts that is somebody else's", [hook("operators.a.example.com")]],
    ["a wildcard wider than its hosts", [hook("*.example.com")]],
    ["another auth_id", [hook("x.a.example.com", "tenant-b")]],
  ])("403, always the same: %s", async (_, hooks) => {
    const before = await get();
    const answer = await post(hooks, A);
    expect(answer.status).toBe(403);
    expect(answer.body.error).toEqual(
      (await post([hook("other.example.org")], A)).body.error ?? { code: "", message: "" },
    );
    expect((await get()).body).toEqual(before.body);
  });

  test("deleting what is somebody else's and what does not exist is answered alike", async () => {
    const theirs = await remove(["operators.a.example.com"], A);
    const free = await remove(["free.a.example.com"], A);
    const outside = await remove(["x.b.example.com"], A);
    expect([theirs.status, free.status, outside.status]).toEqual([403, 403, 403]);
    expect(theirs.body).toEqual(free.body);
    expect(outside.body).toEqual(free.body);
  });

  test("a host that two tenants may have goes to the first, and the other one is refused without a word about it", async () => {
    expect((await post([hook("shared.example.com")], A)).status).toBe(200);
    const answer = await post([hook("shared.example.com", "tenant-b")], B);
    expect(answer.status).toBe(403);
    expect(JSON.stringify(answer.body)).not.toContain("tenant-a");
  });

  test("their own host of the configuration is 405", async () => {
    expect((await post([hook("fixed.a.example.com")], A)).status).toBe(405);
    expect((await remove(["fixed.a.example.com"], A)).status).toBe(405);
  });
});

describe("what is pending", () => {
  const one: Hook = { ...fixed, id: hookId(pattern("one.example.com"), "tenant-a") };

  async function keepEvent(): Promise<void> {
    const participant = { sid: "PA_1", kind: "SIP", attributes: { "sip.callID": "1" } };
    await storage.commit(
      [incoming(webhookJson("participant_joined", { participant }), matchOf(one.id), clock.now())],
      () => "ordered",
    );
  }

  const pending = async () =>
    (await storage.claim(one.id, { now: clock.now(), limit: 1, busy: new Set() })).deliveries.length;

  test("stays with the hook when its url is replaced", async () => {
    await post([hook("one.example.com")]);
    await keepEvent();
    await post([hook("one.example.com", "tenant-a", "https://hooks.example/2")]);
    expect(await pending()).toBe(1);
  });

  test("is cancelled when the host goes to another auth_id, and when it is deleted, and the log says so", async () => {
    await post([hook("one.example.com")]);
    await keepEvent();
    await post([hook("one.example.com", "tenant-b")]);
    expect(await pending()).toBe(0);
    expect(log.text()).toContain('"cancelled":1');
  });

  test("is cancelled at the start when its hook is gone", async () => {
    await keepEvent();
    await HookRegistry.load({ configHooks: [fixed], policy, storage, clock, log });
    expect(await pending()).toBe(0);
  });

  test("replacing a paused hook by the very same entry resumes it too, and is no change to record", async () => {
    await post([hook("one.example.com")]);
    await registry.pause(one.id, "it answered 410");
    expect((await post([hook("one.example.com")])).body.hooks?.at(-1)).toMatchObject({ state: "active" });
    expect(await storage.hookVersions(10)).toHaveLength(1);
  });

  test("replacing a paused hook resumes it", async () => {
    await post([hook("one.example.com")]);
    await registry.pause(one.id, "it answered 410");
    expect((await get()).body.hooks?.at(-1)).toMatchObject({ state: "paused" });
    const woken: string[] = [];
    registry.onChange((hooks) => woken.push(...hooks));
    await post([hook("one.example.com", "tenant-a", "https://hooks.example/2")]);
    expect((await get()).body.hooks?.at(-1)).toMatchObject({ state: "active" });
    expect(woken).toEqual([one.id]);
  });
});

test("a configuration's host shadows one that was added at run time, which comes back without it", async () => {
  await post([hook("later.example.com", "tenant-b")]);
  const later: Hook = {
    ...fixed,
    id: hookId(pattern("later.example.com"), "tenant-a"),
    host: pattern("later.example.com"),
  };
  const shadowed = await HookRegistry.load({ configHooks: [later], policy, storage, clock, log });
  expect(shadowed.table.all().map(({ authId }) => authId)).toEqual(["tenant-a"]);
  const back = await HookRegistry.load({ configHooks: [], policy, storage, clock, log });
  expect(back.table.all().map(({ authId }) => authId)).toEqual(["tenant-b"]);
});
