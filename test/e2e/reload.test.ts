import { afterEach, expect, test } from "bun:test";
import { rename, writeFile } from "node:fs/promises";
import { Webhook } from "standardwebhooks";
import { Arrivals, CallLoad } from "../support/call-load";
import { sendWebhook } from "../support/livekit-sender";
import type { ReceivedRequest } from "../support/received-request";
import { RECORDED_KEY, recordedWebhooks } from "../support/recordings";
import { quiet, World } from "../support/world";

let world: World | undefined;

afterEach(async () => {
  await world?.end();
  world = undefined;
});

const call = recordedWebhooks("answered-call");
const secretOf = (version: number) => `whsec_${Buffer.alloc(24, version).toString("base64")}`;
const READ_AGAIN = "The configuration was read again";
const started = (options: Parameters<typeof World.start>[0]) => World.start(options).then((it) => (world = it));

/** The hooks of the tenants as this version of the file has them: its number is in the path, and what signs. */
function hooksOf(it: World, version: number, names: readonly string[]) {
  return names.map((name) => ({
    host: `${name}.example.com`,
    auth_id: name,
    url: it.tenant(name).url(`/v${version}`),
    secret: secretOf(version),
  }));
}

async function reload({ server }: World, content: string): Promise<void> {
  const before = server.lines.filter(({ msg }) => msg === READ_AGAIN).length;
  await writeFile(server.configFile, content);
  server.signal("SIGHUP");
  await server.waitUntil(() => server.lines.filter(({ msg }) => msg === READ_AGAIN).length > before, READ_AGAIN);
}

function isSignedBy({ header, body }: ReceivedRequest, secret: string): boolean {
  const headers = Object.fromEntries(
    ["webhook-id", "webhook-timestamp", "webhook-signature"].map((n) => [n, header(n) ?? ""]),
  );
  try {
    new Webhook(secret).verify(body.toString(), headers);
    return true;
  } catch {
    return false;
  }
}

test("20 reloads under load lose no event and no order, and url and secret change together", async () => {
  const names = ["a", "b"];
  const it = await started({
    tenants: { a: [{ host: "a.example.com", auth_id: "a" }], b: [{ host: "b.example.com", auth_id: "b" }] },
  });
  const arrivals = names.map((name) => new Arrivals(it.tenant(name), 2));
  const load = new CallLoad(names, 16, async (body) => (await sendWebhook(it.server.url, body)).status === 200, 2);
  for (let version = 1; version <= 20; version++) {
    await reload(it, it.configWith({ hooks: hooksOf(it, version, names) }));
    const enough = version * 100;
    while (load.count < enough) await Bun.sleep(5);
  }
  await load.end();
  expect(load.count).toBeGreaterThanOrEqual(2_000);
  await quiet(
    names.map((name) => it.tenant(name)),
    500,
  );
  for (const [i, name] of names.entries()) {
    expect(arrivals[i]?.missing(load.acknowledged.get(name) ?? [])).toEqual([]);
    expect(arrivals[i]?.disordered).toEqual([]);
    const { requests } = it.tenant(name);
    const versions = new Set(requests.map(({ path }) => path));
    expect(versions.size).toBeGreaterThan(15);
    const later = requests.filter(({ path }) => path !== `/${name}`);
    expect(later.filter((request) => !isSignedBy(request, secretOf(Number(request.path.slice(2)))))).toEqual([]);
    expect(requests.at(-1)?.path).toBe("/v20");
  }
}, 240_000);

test("what waits for a retry goes to the new url, signed with the new secret", async () => {
  const it = await started({
    tenants: { a: [{ host: "tenant-a.example.com", auth_id: "a" }], b: [] },
    sip: { delivery: { schedule: ["1h"] } },
  });
  const [a, b] = [it.tenant("a"), it.tenant("b")];
  a.respondWith(() => ({ status: 500 }));
  await it.replay(call);
  await a.waitFor(1);
  const hook = { host: "tenant-a.example.com", auth_id: "a", url: b.url("/new"), secret: secretOf(7) };
  await reload(it, it.configWith({ hooks: [hook] }));
  await b.waitFor(call.length);
  expect(b.requests.map(({ body }) => body.toString())).toEqual(call.map(({ body }) => body));
  expect(b.requests.every((request) => request.path === "/new" && isSignedBy(request, secretOf(7)))).toBe(true);
});

test("a file with faults changes nothing and is told with all of them; a hook that goes is cancelled", async () => {
  const it = await started({ tenants: { a: [{ host: "tenant-a.example.com", auth_id: "a" }] } });
  const { server } = it;
  await writeFile(server.configFile, `${it.configWith({ max_participants: 0 })}colour: MARKED-SECRET\n`);
  server.signal("SIGHUP");
  const told = await server.waitForLine("The configuration has faults");
  expect(told).toMatchObject({ level: "error", cause: "SIGHUP" });
  expect((told["problems"] as { source: string }[]).map(({ source }) => source.replace(/.*:(\d+):.*/, "line"))).toEqual(
    ["line", "line"],
  );
  expect(server.text()).not.toContain("MARKED-SECRET");
  await it.replay(call.slice(0, 5));
  await it.tenant("a").waitFor(5);
  await it.tenant("a").stop();
  await it.replay(call.slice(5));
  await reload(it, it.configWith({ hooks: [{ host: "other.example.com", url: "https://other.example/" }] }));
  // What has arrived may not have been settled yet.
  const { cancelled } = await server.waitForLine("Deliveries cancelled");
  expect(Number(cancelled)).toBeGreaterThanOrEqual(call.length - 5);
});

test("what needs a restart is named with what it was and is, and the rest is in force", async () => {
  const it = await started({
    tenants: { a: [{ host: "tenant-a.example.com", auth_id: "a" }] },
    config: { auth: { required: true, api_secrets: [{ id: "ops", secret: "old-token" }] } },
  });
  const auth = { required: true, api_secrets: [{ id: "ops", secret: "new-token" }] };
  const livekit = { url: "ws://127.0.0.1:1", api_key: "other", api_secret: "MARKED-SECRET" };
  await reload(it, it.configWith({ room_prefix: "call-" }, { auth, livekit, log: { level: "debug" } }));
  await it.server.waitUntil(() => it.server.text().includes("sip.room_prefix"), "the last of them");
  const named = it.server.lines.filter(({ msg }) => msg === "A changed setting counts after a restart only");
  expect(named.map(({ setting, before, after }) => [setting, before, after])).toEqual([
    ["livekit.api_key", RECORDED_KEY.apiKey, "other"],
    ["livekit.api_secret", "[secret]", "another [secret]"],
    ["sip.room_prefix", "sip-", "call-"],
  ]);
  expect(it.server.text()).not.toContain("MARKED-SECRET");
  const status = async (token: string) =>
    (await fetch(`${it.server.url}/sip/hooks`, { headers: { authorization: `Bearer ${token}` } })).status;
  expect([await status("old-token"), await status("new-token")]).toEqual([401, 200]);
  await it.replay(call);
  await it.tenant("a").waitFor(call.length);
});

test("--watch reads a file that an editor replaced by renaming", async () => {
  const it = await started({ tenants: { a: [{ host: "tenant-a.example.com", auth_id: "a" }] }, args: ["--watch"] });
  const { server } = it;
  const hook = { host: "tenant-a.example.com", auth_id: "a", url: it.tenant("a").url("/renamed") };
  await writeFile(`${server.configFile}.new`, it.configWith({ hooks: [hook] }));
  await rename(`${server.configFile}.new`, server.configFile);
  expect(await server.waitForLine(READ_AGAIN)).toMatchObject({ cause: "watch", changed: ["sip.hooks"] });
  await it.replay(call);
  await it.tenant("a").waitFor(call.length);
  expect(it.tenant("a").requests.every(({ path }) => path === "/renamed")).toBe(true);
});
