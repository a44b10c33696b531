import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import * as fc from "fast-check";
import { loadConfig } from "../plugins/config-loader";
import { createSqliteStorage } from "../plugins/storage/sqlite";
import { createApp, type AppParts, type SaynaSip } from "../src/app";
import type { Storage } from "../src/contracts/storage";
import { livekitToken } from "./support/livekit-token";
import { ManualClock, settle } from "./support/manual-clock";
import { recordingLog } from "./support/recording-log";
import { recordedWebhooks, RECORDED_KEY } from "./support/recordings";
import { temporaryDirectory } from "./support/server-process";

const OPS = "ops-token-0123456789abcdef";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clock: ManualClock;
let log: ReturnType<typeof recordingLog>;
let storage: Storage;
let service: SaynaSip;

beforeEach(async () => {
  directory = await temporaryDirectory();
  clock = new ManualClock();
  log = recordingLog();
  storage = createSqliteStorage({ dataDir: directory.path, clock, log });
});

afterEach(async () => {
  await service.close();
  await storage.close();
  await directory.remove();
});

async function start(env: Record<string, string> = {}, parts: Partial<AppParts> = {}): Promise<void> {
  const config = loadConfig({
    env: {
      LIVEKIT_API_KEY: RECORDED_KEY.apiKey,
      LIVEKIT_API_SECRET: RECORDED_KEY.apiSecret,
      SIP_ROOM_PREFIX: "sip-",
      SIP_PROVISION: "false",
      SIP_HOOKS_JSON: JSON.stringify([{ host: "tenant-a.example.com", url: "https://a.example/hook" }]),
      AUTH_REQUIRED: "true",
      AUTH_API_SECRET: OPS,
      ...env,
    },
  });
  const sender = { send: () => new Promise<never>(() => {}), close: () => {} };
  service = await createApp(config, { log, clock, storage, sender, ...parts });
}

async function request(path: string, init: RequestInit = {}) {
  const response = await service.app.handle(new Request(`http://localhost${path}`, init));
  const text = await response.text();
  return {
    status: response.status,
    text,
    json: text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {},
    headers: response.headers,
  };
}

/** Sends a body as LiveKit would; `headers` replace its own. */
function webhook(body: string | Uint8Array, headers: Record<string, string> = {}) {
  const token = livekitToken(body, { now: Math.floor(clock.now() / 1000) });
  return request("/livekit/webhook", {
    method: "POST",
    body,
    headers: { authorization: token, "content-type": "application/webhook+json", ...headers },
  });
}

const [recorded] = recordedWebhooks("answered-call");
const body = recorded?.body ?? "";

describe("the OpenAPI document", () => {
  test("is valid, has every route, each with its errors and examples", async () => {
    await start();
    const { json } = await request(`/openapi/json?api_key=${OPS}`);
    const result = await new Validator().validate(json);
    expect(result).toMatchObject({ valid: true });
    type Operation = { responses: Record<string, { content?: Record<string, { schema?: unknown }> }> };
    const paths = json.paths as Record<string, Record<string, Operation>>;
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(operations.toSorted()).toEqual([
      "DELETE /sip/hooks",
      "GET /health/live",
      "GET /health/ready",
      "GET /metrics",
      "GET /sip/calls",
      "GET /sip/calls/{room_sid}",
      "GET /sip/deliveries",
      "GET /sip/deliveries/{id}",
      "GET /sip/hooks",
      "GET /sip/hooks/versions",
      "GET /sip/hooks/versions/{a}/compare/{b}",
      "GET /sip/signing-keys",
      "GET /sip/unmatched",
      "POST /livekit/webhook",
      "POST /sip/deliveries/cancel",
      "POST /sip/explain",
      "POST /sip/hooks",
      "POST /sip/hooks/pause",
      "POST /sip/hooks/resume",
      "POST /sip/hooks/rollback",
      "POST /sip/hooks/test",
      "POST /sip/replay",
    ]);
    for (const methods of Object.values(paths)) {
      for (const { responses } of Object.values(methods)) {
        for (const { content } of Object.values(responses)) {
          expect(JSON.stringify(Object.values(content ?? {})[0]?.schema)).toContain('"examples"');
        }
      }
    }
    expect(Object.keys(paths["/sip/hooks"]?.post?.responses ?? {})).toEqual([
      "200",
      "400",
      "401",
      "403",
      "405",
      "413",
      "500",
    ]);
    expect(Object.keys(paths["/livekit/webhook"]?.post?.responses ?? {})).toEqual(["200", "400", "401", "413", "503"]);
  });

  test("has no number or boolean that may be a text as well", async () => {
    await start();
    const text = JSON.stringify((await request(`/openapi/json?api_key=${OPS}`)).json);
    const choices = [...text.matchAll(/"anyOf":\[[^\]]*\]/g)].map(([choice]) => choice);
    expect(text).toContain('"type":"integer"');
    expect(choices.filter((choice) => /"format":"(integer|numeric|boolean)"/.test(choice))).toEqual([]);
  });
});

describe("the webhook route", () => {
  test("answers 200 {status: received} when the event is kept, and not before the commit", async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const commit = storage.commit;
    let committed = false;
    storage.commit = async (events, isActive) => {
      await held;
      const results = await commit(events, isActive);
      committed = true;
      return results;
    };
    await start();
    let answered = false;
    const answer = webhook(body).then((result) => {
      answered = true;
      expect(committed).toBe(true);
      return result;
    });
    await settle();
    expect(answered).toBe(false);
    release();
    expect(await answer).toMatchObject({ status: 200, json: { status: "received" } });
  });

  test("503 with a growing Retry-After when the event cannot be kept, and 200 when it can again", async () => {
    const commit = storage.commit;
    storage.commit = () => Promise.reject(new Error("SQLITE_FULL: database or disk is full"));
    await start();
    for (const seconds of ["1", "2", "8", "15"]) {
      const answer = await webhook(body);
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, seconds]);
      expect(answer.text).not.toContain("SQLITE");
    }
    storage.commit = commit;
    expect((await webhook(body)).status).toBe(200);
  });

  test.each([
    ["no token", { authorization: "" }, 401],
    ["a Bearer token, which LiveKit does not send", { authorization: `Bearer ${livekitToken(body)}` }, 401],
    ["the token of another body", { authorization: livekitToken(`${body} `) }, 401],
    ["the token of an unknown key", { authorization: livekitToken(body, { apiKey: "other" }) }, 401],
    ["the token of another secret", { authorization: livekitToken(body, { apiSecret: "other" }) }, 401],
    ["a token that has expired", { authorization: livekitToken(body, { now: 1_000_000_000 }) }, 401],
  ])("%s: %#", async (_, headers, status) => {
    await start();
    const answer = await webhook(body, headers);
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ error: { code: "invalid_signature" } });
    expect(answer.headers.get("www-authenticate")).not.toBeNull();
  });

  test("a token that is 60 s ahead or behind is taken; a refusal for time is an ERROR line with the skew", async () => {
    await start();
    const now = Math.floor(clock.now() / 1000);
    for (const skew of [60, -360 + 1]) {
      const answer = await webhook(body, { authorization: livekitToken(body, { now: now + skew }) });
      expect([skew, answer.status]).toEqual([skew, 200]);
    }
    expect((await webhook(body, { authorization: livekitToken(body, { now: now + 120 }) })).status).toBe(401);
    expect(log.lines.at(-1)).toMatchObject({ level: "error", fields: { reason: "not-yet-valid", skewSeconds: -120 } });
  });

  test("a second key is accepted beside the first", async () => {
    await start({ LIVEKIT_WEBHOOK_KEYS_JSON: JSON.stringify([{ api_key: "second", api_secret: "second-secret" }]) });
    const token = livekitToken(body, {
      apiKey: "second",
      apiSecret: "second-secret",
      now: Math.floor(clock.now() / 1000),
    });
    expect((await webhook(body, { authorization: token })).status).toBe(200);
  });

  test.each([
    ["nothing", "", 400],
    ["no JSON", "{", 400],
    ["a list", "[]", 400],
    ["null", "null", 400],
    ["a text", '"x"', 400],
    ["10,000 brackets", "[".repeat(10_000), 400],
    ["an empty object", "{}", 200],
    [
      "1 MiB of a SIP event",
      JSON.stringify({ event: "x", room: { name: "sip-1", sid: "RM" }, pad: "y".repeat(1024 * 1024 - 100) }),
      200,
    ],
    ["more than 1 MiB", JSON.stringify({ pad: "y".repeat(1024 * 1024) }), 413],
  ])("a signed body that is %s is answered %#", async (_, signed, status) => {
    await start();
    expect((await webhook(signed)).status).toBe(status);
  });

  test("a signed body that is no valid UTF-8 is judged by its bytes", async () => {
    await start();
    const bytes = Buffer.from('{"event":"room_started","room":{"name":"sip-\xff","sid":"RM_1"}}', "latin1");
    expect((await webhook(bytes)).status).toBe(200);
    expect((await webhook(bytes, { authorization: livekitToken(bytes.toString("utf8")) })).status).toBe(401);
  });

  test("whatever JSON object is signed, the answer is 200", async () => {
    await start();
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), async (object, value) => {
        const sip = { ...object, room: { name: "sip-x", sid: value }, participant: value, event: "participant_joined" };
        for (const json of [object, sip]) expect((await webhook(JSON.stringify(json))).status).toBe(200);
      }),
      { numRuns: 100 },
    );
  });

  test("whatever bytes and token come, the answer is 400, 401 or 413", async () => {
    await start();
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.stringMatching(/^[\x21-\x7e.]{0,80}$/),
        async (bytes, token) => {
          expect([400, 401, 413]).toContain((await webhook(bytes, { authorization: token })).status);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("the API", () => {
  test("whatever an operator posts, the answer is 200 or 4xx, and the table has only valid entries", async () => {
    await start();
    const host = fc.oneof(
      fc.string(),
      fc.domain(),
      fc.ipV4(),
      fc.ipV6(),
      fc.constant("*.a.example.com"),
      fc.constant("tenant-a.example.com"),
    );
    const entry = fc.record(
      { host, url: fc.oneof(fc.webUrl({ validSchemes: ["https", "http"] }), fc.string()), auth_id: fc.string() },
      { requiredKeys: [] },
    );
    const bodies = fc.oneof(fc.record({ hooks: fc.array(entry, { maxLength: 4 }) }), fc.jsonValue());
    await fc.assert(
      fc.asyncProperty(bodies, fc.constantFrom("POST", "DELETE"), async (value, method) => {
        const answer = await request("/sip/hooks", {
          method,
          body: JSON.stringify(value),
          headers: { authorization: `Bearer ${OPS}`, "content-type": "application/json" },
        });
        expect([200, 400, 404, 405]).toContain(answer.status);
      }),
      { numRuns: 200 },
    );
    const { json } = await request(`/sip/hooks?api_key=${OPS}`);
    for (const { url } of json.hooks as { url: string }[]) expect(url).toStartWith("https://");
  });

  test.each(["/sip/hooks", "/sip/hooks/versions", "/sip/calls", "/sip/deliveries", "/sip/unmatched"])(
    "%s takes the token as ?api_key=, too",
    async (path) => {
      await start();
      expect((await request(`${path}?api_key=${OPS}`)).status).toBe(200);
    },
  );

  test("the key is never in a log line, whatever fails", async () => {
    await start();
    storage.changeHooks = () => Promise.reject(new Error("disk"));
    await request(`/sip/hooks?api_key=${OPS}`, {
      method: "POST",
      body: JSON.stringify({ hooks: [{ host: "x.example.com", url: "https://x.example/", auth_id: "t" }] }),
      headers: { "content-type": "application/json" },
    });
    await request("/sip/hooks?api_key=wrong-key-0123456789");
    expect(log.text()).toContain("[secret]");
    expect(log.text()).not.toContain(OPS);
    expect(log.text()).not.toContain("wrong-key");
  });

  test("an unknown address is 404, a wrong method 405, in the form of every error", async () => {
    await start();
    expect(await request("/nowhere")).toMatchObject({ status: 404, json: { error: { code: "not_found" } } });
    expect(await request("/livekit/webhook")).toMatchObject({
      status: 405,
      json: { error: { code: "method_not_allowed" } },
    });
  });
});

describe("health", () => {
  test("ready says why not: the storage cannot be written, credentials are missing", async () => {
    await start();
    expect(await request("/health/ready")).toMatchObject({ status: 200, json: { status: "ready" } });
    storage.checkWritable = () => Promise.reject(new Error("SQLITE_READONLY"));
    const answer = await request("/health/ready");
    expect([answer.status, answer.json]).toEqual([
      503,
      { status: "not_ready", reasons: ["the storage cannot be written"] },
    ]);
    expect((await request("/health/live")).status).toBe(200);
  });

  test("a service that is stopping is not ready", async () => {
    await start();
    await service.start();
    await service.stopSending(1000);
    expect((await request("/health/ready")).status).toBe(503);
  });
});

test("a matcher that nobody brings ends the start", async () => {
  await start();
  const config = loadConfig({ env: { SIP_ROOM_PREFIX: "sip-", SIP_PROVISION: "false" } });
  const sip = config.sip === undefined ? undefined : { ...config.sip, matchers: ["by-moon"] };
  await expect(createApp({ ...config, sip }, { log, storage })).rejects.toThrow("by-moon, which is neither built in");
});
