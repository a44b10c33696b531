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
import { storedHooks } from "../../support/stored-hooks";
import { incoming, matchOf, pattern, webhookJson } from "../../support/webhooks";

const OPS = "ops-token-1234567890";
const SECOND = "second-token-1234567890";
const TENANT = "tenant-token-1234567890";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clock: ManualClock;
let storage: Storage;
let registry: HookRegistry;
let allowed: string[];
let required: boolean;

const configHook = (host: string): Hook => ({
  id: hookId(pattern(host), "tenant-a"),
  host: pattern(host),
  url: "https://fixed.example/hook",
  authId: "tenant-a",
  source: "config",
});

beforeEach(async () => {
  directory = await temporaryDirectory();
  clock = new ManualClock();
  allowed = ["env:ALLOWED", "env:OLD"];
  required = true;
  storage = createSqliteStorage({ dataDir: directory.path, clock, log: recordingLog(), ballast: 0 });
  await load([configHook("fixed.example.com")]);
});

afterEach(async () => {
  await storage.close();
  await directory.remove();
});

async function load(configHooks: readonly Hook[]): Promise<void> {
  registry = await HookRegistry.load({ configHooks, policy, storage, clock, log: recordingLog() });
}

type Answer = { status: number; json: Record<string, unknown> & { error?: Record<string, unknown> } };

async function call(method: string, path: string, body?: unknown, token: string | null = OPS): Promise<Answer> {
  const secret = (id: string, value: string, role: "operator" | "tenant") => {
    return { id, secret: new Secret(value), role, hosts: role === "tenant" ? [pattern("*.example.com")] : [] };
  };
  const secrets = [secret("ops", OPS, "operator"), secret("second", SECOND, "operator"), secret("t", TENANT, "tenant")];
  const app = new Elysia({ normalize: false }).use(httpErrors({ log: recordingLog() })).use(
    hooksStore({
      auth: auth({ required, secrets }),
      registry,
      breakerOf: () => undefined,
      rules: () => ({ authRequired: required, secretGrants: { ofOperators: allowed, ofTenants: new Map() } }),
    }),
  );
  const response = await app.handle(
    new Request(`http://localhost${path}`, {
      method,
      headers: {
        "content-type": "application/json",
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
  return { status: response.status, json: (await response.json()) as Answer["json"] };
}

const entry = (host: string, url: string, more: object = {}) => ({ host, url, auth_id: "tenant-a", ...more });
const put = (...hooks: object[]) => call("POST", "/sip/hooks", { hooks });
const remove = (...hosts: string[]) => call("DELETE", "/sip/hooks", { hosts });
const rollBack = (version: unknown, token: string | null = OPS) =>
  call("POST", "/sip/hooks/rollback", { version }, token);
const table = async () =>
  ((await call("GET", "/sip/hooks")).json.hooks as { host: string; url: string; source: string }[])
    .filter(({ source }) => source === "runtime")
    .map(({ host, url }) => [host, url]);

const ONE = entry("one.example.com", "https://x.example/1");
const MOVED = entry("one.example.com", "https://x.example/2");
const TWO = entry("two.example.com", "https://x.example/2");

describe("versions", () => {
  test("each change makes one; the newest comes first, with who, when, and what it did", async () => {
    await put(ONE, TWO);
    await clock.turn(1000);
    await call("POST", "/sip/hooks", { hooks: [MOVED] }, SECOND);
    await remove("two.example.com");
    const { status, json } = await call("GET", "/sip/hooks/versions");
    expect(status).toBe(200);
    const [first, later] = [clock.now() - 1000, clock.now()].map((at) => new Date(at).toISOString());
    expect(json).toEqual({
      versions: [
        { version: 3, at: later, who: "ops", added: 0, replaced: 0, removed: 1, hosts: ["two.example.com"] },
        { version: 2, at: later, who: "second", added: 0, replaced: 1, removed: 0, hosts: ["one.example.com"] },
        {
          version: 1,
          at: first,
          who: "ops",
          added: 2,
          replaced: 0,
          removed: 0,
          hosts: ["one.example.com", "two.example.com"],
        },
      ],
    });
  });

  test("come in pages", async () => {
    for (let i = 0; i < 5; i++) await put(entry("one.example.com", `https://x.example/${i}`));
    const page = async (query: string) => {
      const { json } = await call("GET", `/sip/hooks/versions?${query}`);
      return [(json.versions as { version: number }[]).map(({ version }) => version), json.next];
    };
    expect(await page("limit=2")).toEqual([[5, 4], 4]);
    expect(await page("limit=2&before=4")).toEqual([[3, 2], 2]);
    expect(await page("limit=2&before=2")).toEqual([[1], undefined]);
  });

  test.each(["limit=0", "limit=201", "limit=x", "before=0", "page=1"])("a query of %s is refused", async (query) => {
    expect(await call("GET", `/sip/hooks/versions?${query}`)).toMatchObject({
      status: 400,
      json: { error: { code: "invalid_request" } },
    });
  });

  test("with nothing changed yet there is none", async () => {
    expect((await call("GET", "/sip/hooks/versions")).json).toEqual({ versions: [] });
  });
});

describe("a comparison", () => {
  beforeEach(async () => {
    await put(ONE, entry("kept.example.com", "https://k.example/"));
    await put(MOVED, {
      ...TWO,
      secret: "env:ALLOWED",
      credentials: { bearer: "env:OLD" },
      delivery: { max_age: "1h" },
    });
    await remove("one.example.com");
  });

  const compare = async (a: number, b: number) => (await call("GET", `/sip/hooks/versions/${a}/compare/${b}`)).json;
  const two = {
    ...TWO,
    secret: "env:ALLOWED",
    credentials: { bearer: "env:OLD" },
    delivery: { max_age: "1h" },
    operator_delivery: { max_age: "1h" },
  };

  test("shows the hosts that differ, before and after, by name", async () => {
    expect(await compare(1, 2)).toEqual({
      from: 1,
      to: 2,
      hosts: [
        { host: "one.example.com", before: ONE, after: MOVED },
        { host: "two.example.com", after: two },
      ],
    });
  });

  test("goes over several versions, and back", async () => {
    expect((await compare(1, 3)).hosts).toEqual([
      { host: "one.example.com", before: ONE },
      { host: "two.example.com", after: two },
    ]);
    expect((await compare(3, 1)).hosts).toEqual([
      { host: "one.example.com", after: ONE },
      { host: "two.example.com", before: two },
    ]);
  });

  test("version 0 is the empty table, and a version differs from itself in nothing", async () => {
    expect((await compare(0, 1)).hosts).toHaveLength(2);
    expect((await compare(2, 2)).hosts).toEqual([]);
  });

  test.each([
    [4, 1, 404, "version_not_found"],
    [1, 4, 404, "version_not_found"],
    ["x", 1, 400, "invalid_request"],
    [-1, 1, 400, "invalid_request"],
    [1, 1.5, 400, "invalid_request"],
  ])("of %p and %p is refused", async (a, b, status, code) => {
    expect(await call("GET", `/sip/hooks/versions/${a}/compare/${b}`)).toMatchObject({
      status,
      json: { error: { code } },
    });
  });
});

describe("a rollback", () => {
  test("brings back what was removed, takes back what was replaced, removes what came later: as a new version", async () => {
    await put(ONE, entry("gone.example.com", "https://g.example/"));
    await put(MOVED, TWO);
    await remove("gone.example.com");
    const answer = await call("POST", "/sip/hooks/rollback", { version: 1 }, SECOND);
    expect(answer.status).toBe(200);
    const expected = [
      ["one.example.com", ONE.url],
      ["gone.example.com", "https://g.example/"],
    ];
    expect(await table()).toEqual(expected);
    expect((await call("GET", "/sip/hooks")).json).toEqual(answer.json);
    const { json } = await call("GET", "/sip/hooks/versions?limit=1");
    expect(json.versions).toMatchObject([{ version: 4, who: "second", added: 1, replaced: 1, removed: 1 }]);
    expect((await call("GET", "/sip/hooks/versions/1/compare/4")).json.hosts).toEqual([]);
    await load([configHook("fixed.example.com")]);
    expect(await table()).toEqual(expected);
  });

  test("can itself be rolled back, and goes back to the empty table", async () => {
    await put(ONE);
    await put(TWO);
    await rollBack(0);
    expect(await table()).toEqual([]);
    await rollBack(2);
    expect(await table()).toHaveLength(2);
    await rollBack(1);
    expect(await table()).toEqual([["one.example.com", ONE.url]]);
  });

  test("cancels what is pending for a hook that goes, and it does not come back with the hook", async () => {
    await put(ONE);
    const hook = hookId(pattern("one.example.com"), "tenant-a");
    await storage.commit(
      [
        incoming(
          webhookJson("participant_joined", {
            participant: { sid: "PA_1", kind: "SIP", attributes: { a: "b" } },
          }),
          matchOf(hook),
          clock.now(),
        ),
      ],
      () => "ordered",
    );
    expect(await storage.waitingHooks()).toEqual([hook]);
    await rollBack(0);
    await rollBack(1);
    expect(registry.isActive(hook)).toBe(true);
    expect(await storage.waitingHooks()).toEqual([]);
  });

  test("leaves hosts of the configuration as they are, also those that were not in it then", async () => {
    await put(ONE);
    await put(TWO);
    await load([configHook("one.example.com")]);
    expect((await rollBack(1)).status).toBe(200);
    const { hooks } = (await call("GET", "/sip/hooks")).json as { hooks: object[] };
    expect(hooks).toMatchObject([{ host: "one.example.com", url: "https://fixed.example/hook", source: "config" }]);
    expect(hooks).toHaveLength(1);
  });

  test("neither changes nor brings back what is stored for such a host", async () => {
    await put(ONE);
    await put(MOVED);
    await load([configHook("one.example.com")]);
    await rollBack(1);
    expect(await storedHooks(storage)).toMatchObject([{ url: MOVED.url }]);
    await load([]);
    await remove("one.example.com");
    await load([configHook("one.example.com")]);
    await rollBack(1);
    expect(await storedHooks(storage)).toEqual([]);
  });

  test.each([
    ["a secret", { secret: "env:OLD" }],
    ["a previous secret", { previous_secret: { secret: "env:OLD", until: "2030-01-31T12:00:00Z" } }],
    ["a bearer token", { credentials: { bearer: "env:OLD" } }],
    ["a password", { credentials: { basic: { username: "u", password: "env:OLD" } } }],
    ["a certificate's key", { credentials: { client_certificate: { certificate: "env:ALLOWED", key: "env:OLD" } } }],
  ])("is refused when %s is not allowed any more, which it names, and changes nothing", async (_, more) => {
    expect((await put(ONE, { ...TWO, ...more })).status).toBe(200);
    await remove("one.example.com", "two.example.com");
    allowed = ["env:ALLOWED"];
    const { status, json } = await rollBack(1);
    expect([status, json.error?.code]).toEqual([400, "secret_not_allowed"]);
    expect(json.error).toMatchObject({ host: "two.example.com", secret: "env:OLD" });
    expect(await table()).toEqual([]);
    expect((await call("GET", "/sip/hooks/versions?limit=1")).json.versions).toMatchObject([{ version: 2 }]);
  });

  test("but not for a hook that has such a reference now and keeps it", async () => {
    await put({ ...TWO, secret: "env:OLD" });
    await put(ONE);
    allowed = [];
    expect((await rollBack(1)).status).toBe(200);
  });

  test("is refused when a hook of it lacks the auth_id that is required since", async () => {
    required = false;
    await put({ host: "one.example.com", url: ONE.url });
    await remove("one.example.com");
    required = true;
    expect(await rollBack(1)).toMatchObject({
      status: 400,
      json: { error: { code: "auth_id_required", host: "one.example.com" } },
    });
  });

  test.each([
    [1, 404, "version_not_found"],
    [-1, 400, "invalid_request"],
    ["0", 400, "invalid_request"],
    [null, 400, "invalid_request"],
  ])("to version %p is refused", async (version, status, code) => {
    expect(await rollBack(version)).toMatchObject({ status, json: { error: { code } } });
  });

  test("that the storage cannot write is 500, and changes nothing", async () => {
    await put(ONE);
    storage.restoreHooks = () => Promise.reject(new Error("SQLITE_FULL"));
    expect(await rollBack(0)).toMatchObject({ status: 500, json: { error: { code: "hooks_not_saved" } } });
    expect(await table()).toHaveLength(1);
  });

  test("and a change that come together do not lose each other", async () => {
    await put(ONE);
    await Promise.all([rollBack(0), put(TWO), rollBack(1)]);
    const { json } = await call("GET", "/sip/hooks/versions");
    expect((json.versions as object[]).length).toBe(4);
    expect(await storedHooks(storage)).toHaveLength((await table()).length);
  });
});

const ROUTES = [
  ["GET", "/sip/hooks/versions", undefined],
  ["GET", "/sip/hooks/versions/0/compare/0", undefined],
  ["POST", "/sip/hooks/rollback", { version: 0 }],
] as const;

test.each(ROUTES)("%s %s is for operators only", async (method, path, body) => {
  expect((await call(method, path, body)).status).toBe(200);
  expect(await call(method, path, body, TENANT)).toMatchObject({ status: 403, json: { error: { code: "forbidden" } } });
  expect(await call(method, path, body, null)).toMatchObject({
    status: 401,
    json: { error: { code: "unauthorized" } },
  });
});
