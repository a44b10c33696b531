import { afterEach, expect, test } from "bun:test";
import type { ReceivedRequest } from "../support/received-request";
import { recordedWebhooks } from "../support/recordings";
import { eventNames, quiet, World, type WorldOptions } from "../support/world";

let world: World | undefined;

afterEach(async () => {
  await world?.end();
  world = undefined;
});

const call = recordedWebhooks("answered-call");
const names = call.map(({ json }) => String(json.event));
const ids = (requests: readonly ReceivedRequest[]) => requests.map((request) => request.header("webhook-id"));
const runtimeHooks = { allowed_hook_ranges: ["127.0.0.0/8", "::1"], allowed_addresses: ["203.0.113.0/24"] };

/** Three refusals of an event, and it is given up. */
const sip = { delivery: { schedule: ["20ms", "20ms", "20ms"] }, ...runtimeHooks };

async function start(options: WorldOptions): Promise<World> {
  world = await World.start(options);
  return world;
}

type Json = { [member: string]: unknown };

async function api(method: string, path: string, body?: object): Promise<Json> {
  const response = await fetch(`${world?.server.url}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const json = (await response.json()) as Json;
  if (response.status !== 200) throw new Error(`${response.status} ${JSON.stringify(json)}`);
  return json;
}

async function waitForDeliveries(query: string, count: number): Promise<Json[]> {
  for (const deadline = Date.now() + 20_000; ; await Bun.sleep(50)) {
    const found = (await api("GET", `/sip/deliveries?limit=500&${query}`)).deliveries as Json[];
    if (found.length === count) return found;
    if (Date.now() > deadline) throw new Error(`${found.length} of ${count} deliveries are there: ${query}`);
  }
}

test("what a tenant refused is listed, and a replay sends it in order with the same webhook-ids, through kill -9 too", async () => {
  const a = (await start({ tenants: { a: [{ host: "tenant-a.example.com" }] }, sip })).tenant("a");
  a.respondWith(() => ({ status: 422, body: "the new release is broken" }));
  await world?.replay(call);
  const dead = await waitForDeliveries("state=dead", call.length);
  expect(dead.map(({ event }) => event)).toEqual(names.toReversed());
  expect(a.requests).toHaveLength(3 * call.length);
  const { delivery } = await api("GET", `/sip/deliveries/${String(dead[0]?.id)}`);
  expect((delivery as { attempts: Json[] }).attempts).toMatchObject([
    { n: 1, status: 422, answer_start: "the new release is broken" },
    { n: 2 },
    { n: 3 },
  ]);

  a.respondWith(() => "hang");
  expect(await api("POST", "/sip/replay", { hook: "tenant-a.example.com" })).toMatchObject({ queued: call.length });
  await a.waitFor(3 * call.length + 1);
  await world?.server.killHard();
  a.respondWith(() => ({}));
  await world?.startAgain();
  await waitForDeliveries("state=delivered", call.length);
  const again = a.requests.slice(3 * call.length + 1);
  expect(eventNames(again)).toEqual(names);
  expect(ids(again)).toEqual([...new Set(ids(a.requests.slice(0, 3 * call.length)))]);
  expect(again.map(({ body }) => body.toString())).toEqual(call.map(({ body }) => body));
  const { call: shown } = await api("GET", `/sip/calls/${String(dead[0]?.room_sid)}`);
  const gaps = (shown as { gaps: { replayed_by?: { state: string } }[] }).gaps;
  expect(gaps.map((gap) => gap.replayed_by?.state)).toEqual(names.map(() => "delivered"));
});

test("a call that found no hook goes whole and in order to the hook that is added, when it is asked for", async () => {
  await start({ tenants: { a: [{ host: "other.example.com" }] }, sip });
  await world?.replay(call);
  const url = world?.tenant("a").url("/added") ?? "";
  await api("POST", "/sip/hooks", { hooks: [{ host: "tenant-a.example.com", url, auth_id: "tenant-a" }] });
  expect(await api("POST", "/sip/replay", { unmatched: {} })).toMatchObject({ queued: call.length });
  const a = world?.tenant("a");
  await a?.waitFor(call.length);
  expect(a?.requests.map(({ body }) => body.toString())).toEqual(call.map(({ body }) => body));
  const calls = await api("GET", "/sip/calls?sip_call_id=1-11903@10.20.0.1");
  expect(calls.calls).toMatchObject([{ hooks: [{ host: "tenant-a.example.com", auth_id: "tenant-a" }] }]);
});

test("a paused hook stays paused through a restart; resumed, it gets what has waited", async () => {
  await start({ tenants: { a: [{ host: "tenant-a.example.com" }] }, sip });
  await api("POST", "/sip/hooks/pause", { hosts: ["tenant-a.example.com"] });
  await world?.server.killHard();
  await world?.startAgain();
  await world?.replay(call);
  const a = world?.tenant("a");
  if (a === undefined) throw new Error("no tenant");
  await quiet([a]);
  expect(a.requests).toHaveLength(0);
  const { hooks } = await api("GET", "/sip/hooks");
  expect(hooks).toMatchObject([{ state: "paused", paused: { reason: "paused by an operator" } }]);
  await api("POST", "/sip/hooks/resume", { hosts: ["tenant-a.example.com"] });
  await a.waitFor(call.length);
  expect(eventNames(a.requests)).toEqual(names);
});
