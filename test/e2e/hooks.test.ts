import { afterEach, expect, test } from "bun:test";
import { startFakeLiveKit } from "../support/fake-livekit";
import { RECORDED_KEY, recordedWebhooks } from "../support/recordings";
import { quiet, World } from "../support/world";

let world: World | undefined;

afterEach(async () => {
  await world?.end();
  world = undefined;
});

const call = recordedWebhooks("answered-call");
const runtimeHooks = { allowed_hook_ranges: ["127.0.0.0/8", "::1"], allowed_addresses: ["203.0.113.0/24"] };

async function api(method: string, body?: object) {
  const response = await fetch(`${world?.server.url}/sip/hooks`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  return { status: response.status, body: (await response.json()) as { hooks: { host: string; url: string }[] } };
}

test("seed: a hook that is added takes effect for the next event, and is there after kill -9", async () => {
  world = await World.start({ tenants: { a: [{ host: "other.example.com" }] }, sip: runtimeHooks });
  const added = await api("POST", { hooks: [{ host: "Tenant-A.Example.com", url: world.tenant("a").url("/added") }] });
  expect(added.status).toBe(200);
  await world.server.killHard();
  await world.startAgain();
  expect((await api("GET")).body).toEqual(added.body);
  await world.replay(call);
  await world.tenant("a").waitFor(call.length);
  expect(world.tenant("a").requests.every(({ path }) => path === "/added")).toBe(true);
});

test("a change of thousands of hooks is there whole or not at all after kill -9, whenever that comes", async () => {
  world = await World.start({ tenants: { a: [{ host: "other.example.com" }] } });
  const HOOKS = 4_000;
  const entries = (version: number) =>
    Array.from({ length: HOOKS }, (_, i) => ({ host: `h${i}.example.com`, url: `https://x.example/${version}` }));
  expect((await api("POST", { hooks: entries(0) })).status).toBe(200);
  let before = 0;
  const outcomes: string[] = [];
  for (const [i, ms] of [20, 60, 100, 140, 180, 240, 300].entries()) {
    const version = i + 1;
    const answered = api("POST", { hooks: entries(version) }).then(
      ({ status }) => status,
      () => undefined,
    );
    await Bun.sleep(ms);
    await world.server.killHard();
    const status = await answered;
    await world.startAgain();
    const { hooks } = (await api("GET")).body;
    const urls = new Set(hooks.slice(1).map(({ url }) => url));
    expect([hooks.length, urls.size]).toEqual([HOOKS + 1, 1]);
    const after = urls.has(`https://x.example/${version}`) ? version : before;
    expect(urls).toEqual(new Set([`https://x.example/${after}`]));
    // What was answered is there.
    if (status === 200) expect(after).toBe(version);
    outcomes.push(after === version ? "made" : "not made");
    before = after;
  }
  expect(outcomes).toContain("not made");
});

test("a replaced url is used for what is pending, a deleted hook's deliveries are cancelled", async () => {
  world = await World.start({
    tenants: { a: [{ host: "other.example.com" }], b: [] },
    sip: runtimeHooks,
  });
  const [a, b] = [world.tenant("a"), world.tenant("b")];
  await api("POST", { hooks: [{ host: "tenant-a.example.com", url: a.url("/old") }] });
  await a.stop();
  await world.replay(call.slice(0, 5));
  await api("POST", { hooks: [{ host: "tenant-a.example.com", url: b.url("/new") }] });
  const delivered = () => world?.server.lines.filter(({ msg }) => msg === "Delivered").length ?? 0;
  await world.server.waitUntil(() => delivered() === 5, "five deliveries");
  await b.stop();
  await world.replay(call.slice(5));
  expect((await api("DELETE", { hosts: ["tenant-a.example.com"] })).status).toBe(200);
  await world.server.waitForLine("Deliveries cancelled");
  await b.start();
  await quiet([b], 1000);
  expect(b.requests.map(({ body }) => body.toString())).toEqual(call.slice(0, 5).map(({ body }) => body));
});

test("410 pauses a hook; when it is replaced all that waited goes out at once, in order", async () => {
  world = await World.start({ tenants: { a: [{ host: "other.example.com" }] }, sip: runtimeHooks });
  const a = world.tenant("a");
  a.respondWith(() => ({ status: 410 }));
  await api("POST", { hooks: [{ host: "tenant-a.example.com", url: a.url("/gone") }] });
  await world.replay(call);
  await world.server.waitForLine("The hook answered 410");
  await quiet([a]);
  expect(a.requests).toHaveLength(1);
  a.respondWith(() => ({}));
  await api("POST", { hooks: [{ host: "tenant-a.example.com", url: a.url("/back") }] });
  await a.waitFor(call.length + 1);
  expect(a.requests.slice(1).map(({ body }) => body.toString())).toEqual(call.map(({ body }) => body));
});

test("a 410 that a replaced url still sends does not pause the hook", async () => {
  world = await World.start({ tenants: { a: [{ host: "other.example.com" }], b: [] }, sip: runtimeHooks });
  const [a, b] = [world.tenant("a"), world.tenant("b")];
  let answer = () => {};
  const replaced = new Promise<void>((resolve) => {
    answer = resolve;
  });
  a.respondWith(async () => {
    await replaced;
    return { status: 410 };
  });
  await api("POST", { hooks: [{ host: "tenant-a.example.com", url: a.url("/old") }] });
  await world.replay(call);
  await a.waitFor(1);
  await api("POST", { hooks: [{ host: "tenant-a.example.com", url: b.url("/new") }] });
  answer();
  await b.waitFor(call.length);
  expect((await api("GET")).body.hooks.at(-1)).toMatchObject({ state: "active" });
  expect(b.requests.map(({ body }) => body.toString())).toEqual(call.map(({ body }) => body));
});

test("a hook that was added at run time may not reach this machine, and the log says why", async () => {
  world = await World.start({ tenants: { a: [{ host: "other.example.com" }] } });
  await api("POST", { hooks: [{ host: "tenant-a.example.com", url: world.tenant("a").url("/inside") }] });
  await world.replay(call.slice(0, 2));
  await world.server.waitUntil(() => world?.server.text().includes("ADDRESS_FORBIDDEN") === true, "ADDRESS_FORBIDDEN");
  expect(world.tenant("a").requests).toHaveLength(0);
});

test("a tenant's room is made its own at LiveKit, once", async () => {
  const livekit = await startFakeLiveKit();
  const room = { sid: "RM_3TCyT7wmZNFk", name: "sip-_+15550100_mBGLkC9yAdGT", metadata: "" };
  livekit.state.rooms.set(room.name, room);
  try {
    world = await World.start({
      tenants: { a: [{ host: "tenant-a.example.com", auth_id: "tenant-a" }] },
      sip: { set_room_owner: true },
      config: { livekit: { url: livekit.url, api_key: RECORDED_KEY.apiKey, api_secret: RECORDED_KEY.apiSecret } },
    });
    await world.replay(call.slice(0, 9));
    const deadline = Date.now() + 5000;
    while (livekit.state.rooms.get(room.name)?.metadata === "" && Date.now() < deadline) await Bun.sleep(20);
    expect(livekit.state.rooms.get(room.name)?.metadata).toBe('{"auth_id":"tenant-a"}');
    await quiet([world.tenant("a")]);
    expect(livekit.requests.filter(({ method }) => method === "RoomService/UpdateRoomMetadata")).toHaveLength(1);
    expect(livekit.unexpected).toEqual([]);
  } finally {
    await livekit.stop();
  }
});
