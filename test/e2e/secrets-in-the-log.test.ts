import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { sendWebhook } from "../support/livekit-sender";
import { recordedWebhooks } from "../support/recordings";
import { quiet, World } from "../support/world";

/** Each can be found in any text, and is nowhere else. */
const MARKS = {
  ops: "MARKED-ops-token-1",
  tenant: "MARKED-tenant-token-2",
  wrongToken: "MARKED-wrong-token-3",
  queryToken: "MARKED-query-token-4",
  livekit: "MARKED-livekit-secret-5",
  oldLivekit: "MARKED-old-livekit-secret-6",
  hookSecret: `whsec_${Buffer.from("MARKED-hook-secret-07----").toString("base64")}`,
  ownSecret: "MARKED-own-secret-8",
  signingKey: `whsk_${Buffer.from("MARKED-signing-key-9-----MARKED!").toString("base64")}`,
  bearer: "MARKED-bearer-10",
  password: "MARKED-password-11",
  header: "MARKED-header-value-12",
  env: "MARKED-env-secret-13",
  file: "MARKED-file-secret-14",
  body: "MARKED-body-15",
  url: "MARKED-url-token-16",
  next: "MARKED-next-secret-17",
  answer: "MARKED-answer-18",
} as const;
const SENT = [...Object.values(MARKS), Buffer.from(`sayna:${MARKS.password}`).toString("base64")];

const call = recordedWebhooks("answered-call");
let world: World;

beforeAll(async () => {
  world = await World.start({
    tenants: {
      a: [
        {
          host: "tenant-a.example.com",
          auth_id: "tenant-a",
          secret: MARKS.ownSecret,
          credentials: { bearer: MARKS.bearer },
        },
      ],
    },
    env: { MARKED_ENV: MARKS.env },
    config: {
      log: { level: "debug" },
      livekit: {
        url: "ws://127.0.0.1:1",
        api_key: "APImarked",
        api_secret: MARKS.livekit,
        webhook_keys: [{ api_key: "APIold", api_secret: MARKS.oldLivekit }],
      },
      auth: {
        required: true,
        api_secrets: [
          { id: "ops", secret: MARKS.ops },
          {
            id: "tenant-a",
            secret: MARKS.tenant,
            role: "tenant",
            hosts: ["*.example.com"],
            secret_refs: ["env:MARKED_ENV"],
          },
        ],
      },
    },
    sip: {
      hook_secret: MARKS.hookSecret,
      signing_key: MARKS.signingKey,
      allowed_hook_ranges: ["127.0.0.0/8", "::1"],
      allowed_secret_refs: ["env:MARKED_ENV", "file:/nowhere/MARKED-path"],
      delivery: { schedule: ["50ms", "50ms"] },
    },
  });
});

afterAll(() => world.end());

async function ask(method: string, path: string, init: { token?: string; body?: string } = {}): Promise<number> {
  const headers = {
    "content-type": "application/json",
    ...(init.token === undefined ? {} : { authorization: `Bearer ${init.token}` }),
  };
  const response = await fetch(`${world.server.url}${path}`, {
    method,
    headers,
    ...(init.body === undefined ? {} : { body: init.body }),
  });
  await response.text();
  return response.status;
}

/** Every route of the document, with values in the place of its parameters. */
async function routes(): Promise<readonly { method: string; path: string }[]> {
  const response = await fetch(`${world.server.url}/openapi/json`, {
    headers: { authorization: `Bearer ${MARKS.ops}` },
  });
  const { paths } = (await response.json()) as { paths: Record<string, Record<string, unknown>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path: path.replaceAll(/\{\w+\}/g, "1") })),
  );
}

async function driveTheApi(): Promise<void> {
  const all = await routes();
  expect(all.length).toBeGreaterThan(15);
  const bodies = [
    undefined,
    `{"x": "${MARKS.body}"`,
    JSON.stringify({ secret: MARKS.body, hooks: [{ host: MARKS.body }] }),
  ];
  for (const { method, path } of all) {
    await ask(method, path);
    await ask(method, path, { token: MARKS.wrongToken });
    await ask(method, `${path}?api_key=${MARKS.queryToken}&token=x`);
    await ask(method, `${path}?api_key=${MARKS.queryToken}&api%5Fkey=${MARKS.queryToken}`);
    for (const token of [MARKS.ops, MARKS.tenant]) {
      for (const body of method === "GET" ? [undefined] : bodies) {
        await ask(method, path, { token, ...(body === undefined ? {} : { body }) });
      }
    }
  }
}

async function driveTheHooks(): Promise<void> {
  const hook = (members: object) => ({
    host: "x.example.com",
    url: `https://127.0.0.1:1/${MARKS.url}?t=${MARKS.url}`,
    ...members,
  });
  const add = (members: object) =>
    ask("POST", "/sip/hooks", { token: MARKS.ops, body: JSON.stringify({ hooks: [hook(members)] }) });
  expect(await add({ auth_id: "tenant-a", secret: "env:MARKED_ENV" })).toBe(200);
  expect(await add({ auth_id: "tenant-a", secret: MARKS.body })).toBe(400);
  expect(await add({ auth_id: "tenant-a", url: `http://x.example/${MARKS.url}` })).toBe(400);
  expect(await add({ auth_id: "tenant-a", url: `https://u:${MARKS.password}@x.example/` })).toBe(400);
  // A secret that cannot be read, a server that is not there, and one that shows what it was sent.
  const failing = [
    { ...hook({}), host: "tenant-b.example.com", auth_id: "b", secret: "file:/nowhere/MARKED-path" },
    { ...hook({}), host: "tenant-c.example.com", auth_id: "c", credentials: { bearer: "env:MARKED_ENV" } },
  ];
  expect(await ask("POST", "/sip/hooks", { token: MARKS.ops, body: JSON.stringify({ hooks: failing }) })).toBe(200);
}

async function driveTheWebhooks(): Promise<void> {
  const { url } = world.server;
  const key = { apiKey: "APImarked", apiSecret: MARKS.livekit };
  await fetch(`${url}/livekit/webhook`, {
    method: "POST",
    body: MARKS.body,
    headers: { authorization: MARKS.wrongToken },
  });
  await fetch(`${url}/livekit/webhook`, { method: "POST", body: MARKS.body });
  await sendWebhook(url, MARKS.body, key);
  await sendWebhook(url, JSON.stringify({ room: { name: "sip-x" }, x: MARKS.body }), {
    apiKey: "APIunknown",
    apiSecret: MARKS.next,
  });
  await sendWebhook(url, JSON.stringify({ room: { name: "sip-x" }, x: MARKS.body }), { ...key, apiSecret: MARKS.next });
  for (const tenant of ["tenant-a", "tenant-b", "tenant-c"]) {
    for (const { body } of call) {
      const own = body
        .replaceAll("tenant-a.example.com", `${tenant}.example.com`)
        .replaceAll(/(EV|RM|PA|SCL)_(\w+)/g, `$1_$2${tenant.slice(-1)}`);
      const { status } = await sendWebhook(url, own, key);
      expect(status).toBe(200);
    }
  }
}

async function driveReloads(): Promise<void> {
  const { server } = world;
  const good = world.configWith(
    { hook_secret: MARKS.next },
    { livekit: { api_key: "APInext", api_secret: MARKS.next } },
  );
  for (const bad of [
    `${good}colour: ${MARKS.next}\n`,
    `${good}sip: {hook_secret: "${MARKS.next}\n`,
    `hook_secret: [${MARKS.next}\n`,
  ]) {
    const before = server.lines.length;
    await writeFile(server.configFile, bad);
    server.signal("SIGHUP");
    await server.waitUntil(
      () => server.lines.slice(before).some(({ msg }) => msg.startsWith("The configuration has")),
      "faults",
    );
  }
  await writeFile(server.configFile, good);
  server.signal("SIGHUP");
  await server.waitForLine("The configuration was read again");
}

test("no secret, token or body is ever logged: every route, refused and wrong webhooks, failing hooks, wrong configurations", async () => {
  const a = world.tenant("a");
  a.respondWith(({ headers }) => ({ status: 500, body: JSON.stringify([headers, MARKS.answer]) }));
  await driveTheApi();
  await driveTheHooks();
  await driveTheWebhooks();
  await quiet([a], 500);
  a.respondWith(() => ({ status: 410, body: MARKS.answer }));
  await driveReloads();
  await quiet([a], 300);
  await world.server.stop();
  const text = world.server.text();
  // All that was to be provoked was: otherwise there would be nothing to find.
  for (const said of [
    "API request",
    "Request refused",
    "LiveKit webhook refused",
    "SIP hooks changed",
    "Not delivered yet",
    "SECRET_UNAVAILABLE",
    "ECONNREFUSED",
    "does not work",
    "The configuration has faults",
    "A changed setting counts after a restart only",
    "Stopped",
  ]) {
    expect({ said, isThere: text.includes(said) }).toEqual({ said, isThere: true });
  }
  expect(SENT.filter((mark) => text.includes(mark))).toEqual([]);
}, 240_000);
