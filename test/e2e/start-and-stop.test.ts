import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { startFakeLiveKit, type FakeLiveKit } from "../support/fake-livekit";
import { sendWebhook } from "../support/livekit-sender";
import { RECORDED_KEY, recordedWebhooks } from "../support/recordings";
import { ServerProcess, temporaryDirectory } from "../support/server-process";
import { testCa } from "../support/test-ca";
import { startTlsReceiver, type TlsReceiver } from "../support/tls-receiver";

const call = recordedWebhooks("answered-call").map(({ body }) => body);

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let livekit: FakeLiveKit;
let tenant: TlsReceiver;
let caFile: string;
const started: ServerProcess[] = [];

beforeEach(async () => {
  directory = await temporaryDirectory();
  livekit = await startFakeLiveKit();
  const ca = await testCa();
  caFile = ca.caFile;
  tenant = await startTlsReceiver({ ca });
});

afterEach(async () => {
  for (const server of started.splice(0)) await server.killHard();
  expect(livekit.unexpected).toEqual([]);
  await livekit.stop();
  await tenant.stop();
  await directory.remove();
});

async function start(config: object = {}, options: { waitForPort?: boolean; env?: Record<string, string> } = {}) {
  const server = await ServerProcess.start({
    dataDir: directory.path,
    caFile,
    config: config as Record<string, unknown>,
    ...options,
  });
  started.push(server);
  return server;
}

const credentials = () => ({
  url: livekit.url.replace("http", "ws"),
  api_key: RECORDED_KEY.apiKey,
  api_secret: RECORDED_KEY.apiSecret,
});
const sip = (more: object = {}) => ({
  room_prefix: "sip-",
  allowed_addresses: ["203.0.113.0/24"],
  set_room_owner: false,
  hooks: [{ host: "tenant-a.example.com", url: tenant.url("/a") }],
  ...more,
});
const health = async (server: ServerProcess, route = "ready") => {
  const response = await fetch(`${server.url}/health/${route}`);
  return { status: response.status, body: (await response.json()) as { reasons?: string[] } };
};

describe("start", () => {
  test("seed: trunk and dispatch rule are provisioned, the log says so, and a restart changes nothing", async () => {
    const server = await start({ livekit: credentials(), sip: sip() });
    await server.waitForLine("SIP configuration detected, provisioning LiveKit SIP trunk and dispatch rules");
    await server.waitForLine(
      "Successfully provisioned SIP resources: trunk=sayna-sip--trunk, dispatch=sayna-sip--dispatch",
    );
    await server.waitUntilReady();
    expect(await server.stop()).toBe(0);
    const before = livekit.requests.length;
    const again = await start({ livekit: credentials(), sip: sip() });
    await again.waitForLine("Successfully provisioned");
    const writes = livekit.requests.slice(before).filter(({ method }) => !method.includes("List"));
    expect(writes).toEqual([]);
  });

  test("webhooks are kept while provisioning goes on; ready only when it is done", async () => {
    let go = () => {};
    const waiting = new Promise<void>((resolve) => {
      go = resolve;
    });
    livekit.inject({ at: "request", run: () => waiting });
    const server = await start({ livekit: credentials(), sip: sip() });
    expect(await health(server)).toMatchObject({ status: 503 });
    expect((await health(server)).body.reasons?.join()).toContain("not provisioned yet");
    for (const body of call)
      expect(await sendWebhook(server.url, body)).toMatchObject({ status: 200, body: '{"status":"received"}' });
    await tenant.waitFor(call.length);
    go();
    await server.waitUntilReady();
  });

  test("seed: a failure of provisioning ends the start with exit code 1 and the names, and nothing that was acknowledged is lost", async () => {
    let go = () => {};
    const waiting = new Promise<void>((resolve) => {
      go = resolve;
    });
    livekit.inject({ at: "request", run: () => waiting });
    await tenant.stop();
    const server = await start({
      livekit: { ...credentials(), api_secret: "another-secret-0123456789abcdef" },
      sip: sip(),
    });
    for (const body of call) {
      expect(await sendWebhook(server.url, body, { apiSecret: "another-secret-0123456789abcdef" })).toMatchObject({
        status: 200,
      });
    }
    go();
    expect(await server.exited()).toBe(1);
    expect(server.lines.find(({ level }) => level === "error")?.msg ?? "").toContain("sayna-sip--trunk");
    expect(server.text()).not.toContain("another-secret");
    await tenant.start();
    await start({ livekit: credentials(), sip: sip({ provision: false }) });
    await tenant.waitFor(call.length, 10_000);
    expect(tenant.requests.map(({ body }) => body.toString())).toEqual([...call]);
  });

  test("provision: false asks LiveKit nothing, and is ready", async () => {
    const server = await start({ livekit: credentials(), sip: sip({ provision: false }) });
    await server.waitUntilReady();
    expect(livekit.requests).toEqual([]);
    expect(server.text()).not.toContain("provisioning");
  });

  test("seed: missing credentials are an info line, no provisioning, and the webhook route 503", async () => {
    const server = await start({ sip: sip() });
    expect(await server.waitForLine("LiveKit credentials are missing")).toMatchObject({ level: "info" });
    expect((await sendWebhook(server.url, call[0] ?? "")).status).toBe(503);
    expect((await health(server)).status).toBe(503);
    expect((await health(server, "live")).status).toBe(200);
    expect(livekit.requests).toEqual([]);
  });

  test("seed: without a sip block no SIP line is written, a webhook is 200 and not kept, and the service is ready", async () => {
    const server = await start({ livekit: credentials() });
    for (const body of call) expect((await sendWebhook(server.url, body)).status).toBe(200);
    expect((await health(server)).status).toBe(200);
    const hooks = await fetch(`${server.url}/sip/hooks`);
    expect([hooks.status, await hooks.json()]).toMatchObject([404, { error: { code: "sip_not_configured" } }]);
    expect(await server.stop()).toBe(0);
    expect(server.text()).not.toMatch(/sip/i);
    expect(existsSync(join(directory.path, "data"))).toBe(false);
    expect(livekit.requests).toEqual([]);
  });

  test("seed: a wrong configuration ends with exit code 1 and all of its problems, before anything is opened or asked", async () => {
    const server = await start(
      {
        livekit: credentials(),
        sip: sip({
          room_prefix: "sip room",
          allowed_addresses: ["10.0.0.0.0/8"],
          hooks: [
            { host: "a.example.com", url: "http://plain.example/" },
            { host: "A.example.com", url: "https://x.example/" },
          ],
          host_header: ["To"],
        }),
      },
      { waitForPort: false, env: { PORT: "many" } },
    );
    expect(await server.exited()).toBe(1);
    for (const text of [
      "SIP room_prefix must contain only alphanumeric characters, '-', or '_'",
      "SIP allowed_address '10.0.0.0.0/8' does not look valid",
      "SIP hook URL must be HTTPS",
      "Duplicate SIP hook host",
      "host_headers",
      "PORT",
    ]) {
      expect(server.text()).toContain(text);
    }
    expect(existsSync(join(directory.path, "data"))).toBe(false);
    expect(livekit.requests).toEqual([]);
  });

  test("everything can be set by the environment, without a file", async () => {
    const { url, api_key, api_secret } = credentials();
    const env = {
      LIVEKIT_URL: url,
      LIVEKIT_API_KEY: api_key,
      LIVEKIT_API_SECRET: api_secret,
      SIP_ROOM_PREFIX: "sip-",
      SIP_ALLOWED_ADDRESSES: "192.168.1.0/24, 10.0.0.1",
      SIP_HOOKS_JSON: JSON.stringify([{ host: "tenant-a.example.com", url: tenant.url("/env") }]),
      SIP_SET_ROOM_OWNER: "false",
    };
    const server = await start({}, { env });
    await server.waitUntilReady();
    expect([...livekit.state.trunks.values()]).toMatchObject([{ allowed_addresses: ["192.168.1.0/24", "10.0.0.1"] }]);
    for (const body of call) await sendWebhook(server.url, body);
    await tenant.waitFor(call.length);
    expect(tenant.requests[0]?.path).toBe("/env");
  });

  test("a port that is taken ends with exit code 1 and says what to do", async () => {
    const first = await start({ livekit: credentials() });
    const second = await start({ livekit: credentials(), server: { port: first.port } }, { waitForPort: false });
    expect(await second.exited()).toBe(1);
    expect(second.text()).toContain(`port ${first.port}`);
    expect(second.text()).toContain("PORT");
    expect((await health(first)).status).toBe(200);
  });

  test("a data directory that cannot be used ends with exit code 1 and says what to do", async () => {
    const server = await start(
      { livekit: credentials(), sip: sip(), data_dir: "/dev/null/data" },
      { waitForPort: false },
    );
    expect(await server.exited()).toBe(1);
    expect(server.text()).toContain("/dev/null/data cannot be used");
    expect(server.text()).toContain("DATA_DIR");
    expect(livekit.requests).toEqual([]);
  });

  test("the writing connection reports synchronous = 2 (FULL)", async () => {
    const server = await start({ livekit: credentials(), sip: sip({ provision: false }) });
    expect(await server.waitForLine("Storage is open")).toMatchObject({ synchronous: 2 });
  });
});

describe("stop", () => {
  test("sending stops first, webhooks are still taken, the port closes last, within 8 s, and nothing is lost", async () => {
    tenant.respondWith(() => "hang");
    const server = await start({ livekit: credentials(), sip: sip({ provision: false }) });
    for (const body of call.slice(0, 2)) await sendWebhook(server.url, body);
    await tenant.waitFor(1);
    const { url } = server;
    const begun = Date.now();
    const exited = server.stop();
    let exitedAt = 0;
    void exited.then(() => {
      exitedAt = Date.now();
    });
    await server.waitForLine("Stopping");
    let lastTaken = 0;
    for (const body of call.slice(2)) {
      if ((await sendWebhook(url, body).catch(() => undefined))?.status === 200) lastTaken = Date.now();
      await Bun.sleep(100);
    }
    expect((await fetch(`${url}/health/ready`).catch(() => undefined))?.status).toBe(503);
    // The last moment at which the port was open.
    while (exitedAt === 0) {
      const answer = await fetch(`${url}/health/live`).catch(() => undefined);
      if (answer?.status === 200) lastTaken = Date.now();
      await Bun.sleep(20);
    }
    expect(await exited).toBe(0);
    expect(exitedAt - begun).toBeLessThan(8000);
    expect(exitedAt - lastTaken).toBeLessThan(3000);
    expect(tenant.requests).toHaveLength(1);

    tenant.respondWith(() => ({}));
    await start({ livekit: credentials(), sip: sip({ provision: false }) });
    await tenant.waitFor(call.length + 1, 10_000);
    expect(tenant.requests.slice(1).map(({ body }) => body.toString())).toEqual([...call]);
  }, 240_000);

  test("an idle service ends at once", async () => {
    const server = await start({ livekit: credentials(), sip: sip({ provision: false }) });
    const begun = Date.now();
    expect(await server.stop()).toBe(0);
    // With an attempt that hangs it takes 6 s and more.
    expect(Date.now() - begun).toBeLessThan(5000);
  });
});
