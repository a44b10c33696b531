import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { loadConfig } from "../plugins/config-loader";
import { createSqliteStorage } from "../plugins/storage/sqlite";
import { createApp, type SaynaSip } from "../src/app";
import type { SendRequest } from "../src/contracts/sender";
import type { JsonObject } from "../src/domain/json";
import { livekitToken } from "./support/livekit-token";
import { ManualClock } from "./support/manual-clock";
import { recordingLog } from "./support/recording-log";
import { RECORDED_KEY } from "./support/recordings";
import { temporaryDirectory } from "./support/server-process";
import { answered, callerOf, OPS } from "./support/started-service";
import { webhookJson } from "./support/webhooks";

const MINUTE = 60_000;
const HOST = "one.a.example.com";
const WARNING = "SIP hooks name a secret that is not allowed to them any more";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clock: ManualClock;
let log: ReturnType<typeof recordingLog>;
let service: SaynaSip | undefined;
let sent: SendRequest[];

const SECRETS = ["own", "token"];
const reference = (name: string): string => `env:REVOKED_TEST_${name.toUpperCase()}`;

// Read by the service itself, so that they are in the environment of this process.
const variableOf = (name: string): string => reference(name).slice("env:".length);
beforeAll(() => {
  for (const name of SECRETS) process.env[variableOf(name)] = `secret-${name}`;
});
afterAll(() => {
  for (const name of SECRETS) delete process.env[variableOf(name)];
});

beforeEach(async () => {
  directory = await temporaryDirectory();
  clock = new ManualClock();
  sent = [];
});

afterEach(async () => {
  await stop();
  await directory.remove();
});

type Grants = { readonly ofOperators?: readonly string[]; readonly ofTenantA?: readonly string[] };

async function stop(): Promise<void> {
  await service?.stopSending(0);
  await service?.close();
  service = undefined;
}

/** Starts on the same data with these references allowed. */
async function start({ ofOperators = [], ofTenantA = [] }: Grants): Promise<void> {
  await stop();
  log = recordingLog();
  const storage = createSqliteStorage({ dataDir: directory.path, clock, log, ballast: 0 });
  const config = loadConfig({
    env: {
      LIVEKIT_API_KEY: RECORDED_KEY.apiKey,
      LIVEKIT_API_SECRET: RECORDED_KEY.apiSecret,
      SIP_ROOM_PREFIX: "sip-",
      SIP_PROVISION: "false",
      SIP_SET_ROOM_OWNER: "false",
      SIP_ALLOWED_SECRET_REFS: ofOperators.map(reference).join(","),
      AUTH_API_SECRETS_JSON: JSON.stringify([
        { id: "ops", secret: OPS },
        { id: "tenant-a", secret: "t", role: "tenant", hosts: [HOST], secret_refs: ofTenantA.map(reference) },
      ]),
    },
  });
  const sender = {
    send: async (request: SendRequest) => {
      sent.push(request);
      return answered(200);
    },
    close: () => {},
  };
  service = await createApp(config, { log, clock, storage, sender, random: () => 0.5 });
  await service.start();
  await clock.turn(0);
}

async function ask(method: string, path: string, body?: object, headers: Record<string, string> = {}) {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const request = new Request(`http://localhost${path}`, {
    method,
    headers: { authorization: `Bearer ${OPS}`, "content-type": "application/json", ...headers },
    ...init,
  });
  const response = await service?.app.handle(request);
  if (response?.status !== 200) throw new Error(`${method} ${path}: ${await response?.text()}`);
  return (await response.json()) as JsonObject;
}

const put = (members: object) =>
  ask("POST", "/sip/hooks", {
    hooks: [{ host: HOST, url: "https://a.example/hook", auth_id: "tenant-a", ...members }],
  });

async function call(name: string): Promise<void> {
  const json = webhookJson("participant_joined", { id: `EV_${name}`, participant: callerOf(name, HOST) });
  const room = { sid: `RM_${name}`, name: `sip-${name}` };
  const body = { ...json, room };
  const now = Math.floor(clock.now() / 1000);
  const authorization = livekitToken(JSON.stringify(body), { now });
  await ask("POST", "/livekit/webhook", body, { authorization, "content-type": "application/webhook+json" });
  await clock.turn(1);
}

const warnings = () => log.lines.filter(({ message }) => message.startsWith(WARNING)).map(({ fields }) => fields);
const ids = () => sent.map(({ headers }) => headers["webhook-id"] ?? "");

describe("a reference that the operator does not list any more", () => {
  test.each<[string, Grants, object]>([
    ["of sip.allowed_secret_refs", { ofOperators: ["own"] }, { secret: "own" }],
    ["of the credential's secret_refs", { ofTenantA: ["own"] }, { secret: "own" }],
    ["of a bearer token", { ofTenantA: ["token"] }, { bearer: "token" }],
    ["of the secret before", { ofOperators: ["own"] }, { previous: "own" }],
  ])(
    "%s is not read from the next start on: what waits says why, and goes out once it is listed again",
    async (_, grants, names) => {
      const { secret, bearer, previous } = names as Record<string, string>;
      const until = new Date(clock.now() + 60 * MINUTE).toISOString();
      const hook = {
        ...(secret === undefined ? {} : { secret: reference(secret) }),
        ...(bearer === undefined ? {} : { credentials: { bearer: reference(bearer) } }),
        ...(previous === undefined ? {} : { previous_secret: { secret: reference(previous), until } }),
      };
      await start(grants);
      await put(hook);
      await call("before");
      expect(warnings()).toEqual([]);
      expect(ids()).toEqual(["EV_before"]);

      await start({});
      const name = reference(secret ?? bearer ?? previous ?? "");
      expect(warnings()).toEqual([{ secret: name, hosts: [HOST], count: 1 }]);
      for (const each of ["r1", "r2"]) await call(each);
      await clock.turn(20 * MINUTE);
      expect(ids()).toEqual(["EV_before"]);
      const { deliveries } = await ask("GET", "/sip/deliveries?state=pending");
      expect(deliveries).toHaveLength(2);
      const [{ id } = {}] = deliveries as JsonObject[];
      const { delivery } = await ask("GET", `/sip/deliveries/${String(id)}`);
      const { attempts } = delivery as { attempts: JsonObject[] };
      expect(attempts[0]?.error).toMatchObject({
        step: "request",
        code: "SECRET_UNAVAILABLE",
        message: `the secret ${name} is not allowed to this hook any more`,
      });
      expect(log.text()).not.toContain("secret-");

      await start(grants);
      await clock.turn(MINUTE);
      expect(ids().toSorted()).toEqual(["EV_before", "EV_r1", "EV_r2"]);
    },
  );

  test("is no matter for a hook that is replaced without it", async () => {
    await start({ ofOperators: ["own"] });
    await put({ secret: reference("own") });
    await start({});
    await call("waits");
    expect(ids()).toEqual([]);
    await put({});
    await clock.turn(MINUTE);
    expect(ids()).toEqual(["EV_waits"]);
    await start({});
    expect(warnings()).toEqual([]);
  });

  test("is no matter when it was of a secret that has ended", async () => {
    await start({ ofOperators: ["own"] });
    const until = new Date(clock.now() + MINUTE).toISOString();
    await put({ previous_secret: { secret: reference("own"), until } });
    await clock.turn(MINUTE);
    await start({});
    expect(warnings()).toEqual([]);
    await call("after");
    expect(ids()).toEqual(["EV_after"]);
  });

  test("of one list still counts when it is in the other", async () => {
    await start({ ofOperators: ["own"] });
    await put({ secret: reference("own") });
    await start({ ofTenantA: ["own"] });
    await call("moved");
    expect(warnings()).toEqual([]);
    expect(ids()).toEqual(["EV_moved"]);
  });
});
