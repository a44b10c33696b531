import { afterEach, expect, test } from "bun:test";
import { SQL } from "bun";
import { Arrivals, CallLoad, callWebhooks } from "../support/call-load";
import { Fleet } from "../support/fleet";
import type { JsonObject } from "../../src/domain/json";
import { sendWebhook } from "../support/livekit-sender";
import { killableServer } from "../support/postgres";
import { testCa } from "../support/test-ca";
import { caller, webhookJson } from "../support/webhooks";

let fleet: Fleet | undefined;

afterEach(async () => {
  await fleet?.end();
  fleet = undefined;
});

const TENANTS = ["a", "b", "c"];

async function started(instances: number, sip: Record<string, unknown> = {}) {
  fleet = await Fleet.start({ instances, tenants: TENANTS, sip });
  const running = fleet;
  const arrivals = new Map(TENANTS.map((name) => [name, new Arrivals(running.tenant(name), 10)]));
  return { fleet: running, arrivals };
}

/** Waits until everything has arrived; what has not, and what came in another order. */
async function outcome(load: CallLoad, arrivals: ReadonlyMap<string, Arrivals>, patienceMs = 40_000) {
  const missing = () => {
    return [...load.acknowledged].flatMap(([tenant, ids]) => arrivals.get(tenant)?.missing(ids) ?? ids);
  };
  const deadline = Date.now() + patienceMs;
  while (missing().length > 0 && Date.now() < deadline) await Bun.sleep(50);
  return { missing: missing(), disordered: [...arrivals.values()].flatMap(({ disordered }) => disordered) };
}

const repetitions = (arrivals: ReadonlyMap<string, Arrivals>) =>
  [...arrivals.values()].reduce((sum, arrival) => sum + arrival.repetitions, 0);

test("three instances share the work: everything arrives once, each call in order", async () => {
  const { fleet: running, arrivals } = await started(3);
  const load = new CallLoad(TENANTS, 9, (body) => running.send(body));
  await Bun.sleep(4_000);
  while (load.count <= 50) await Bun.sleep(50);
  await load.end();
  expect(await outcome(load, arrivals)).toEqual({ missing: [], disordered: [] });
  expect(repetitions(arrivals)).toBe(0);
  // Each of them has sent some.
  for (const { server } of running.instances) {
    expect(server?.lines.filter(({ msg }) => msg === "Delivered").length).toBeGreaterThan(0);
  }
}, 240_000);

test("an instance that is killed loses nothing: the others send what it had", async () => {
  const { fleet: running, arrivals } = await started(3);
  const load = new CallLoad(TENANTS, 9, (body) => running.send(body));
  for (const i of [0, 1]) {
    await Bun.sleep(1_500);
    await running.instance(i).killHard();
    await Bun.sleep(500);
    await running.instance(i).start();
  }
  await Bun.sleep(1_000);
  await running.instance(2).killHard();
  while (load.count <= 50) await Bun.sleep(50);
  await load.end();
  expect(await outcome(load, arrivals)).toEqual({ missing: [], disordered: [] });
}, 240_000);

test("an instance that is stopped leaves its work to the others at once, and nothing is sent twice", async () => {
  const { fleet: running, arrivals } = await started(2);
  const load = new CallLoad(TENANTS, 6, (body) => running.send(body));
  await Bun.sleep(1_000);
  await running.instance(0).stop();
  await load.end();
  const from = Date.now();
  expect(await outcome(load, arrivals)).toEqual({ missing: [], disordered: [] });
  // A lease would hold them for 10 s and more.
  expect(Date.now() - from).toBeLessThan(9_000);
  expect(repetitions(arrivals)).toBe(0);
}, 240_000);

test("an instance that sleeps beyond its lease and wakes up again breaks no order", async () => {
  const { fleet: running, arrivals } = await started(2);
  const sleeper = running.instance(0).server;
  const load = new CallLoad(TENANTS, 6, (body) => running.send(body));
  await Bun.sleep(1_000);
  sleeper?.signal("SIGSTOP");
  // The load balancer notices.
  running.instance(0).server = undefined;
  await Bun.sleep(16_000);
  sleeper?.signal("SIGCONT");
  running.instance(0).server = sleeper;
  await Bun.sleep(2_000);
  await load.end();
  expect(await outcome(load, arrivals)).toEqual({ missing: [], disordered: [] });
}, 240_000);

test("Postgres is killed and comes back: what was acknowledged is delivered, readiness says when", async () => {
  const server = await killableServer();
  try {
    fleet = await Fleet.start({ instances: 3, tenants: TENANTS, postgres: server.url });
    const running = fleet;
    const arrivals = new Map(TENANTS.map((name) => [name, new Arrivals(running.tenant(name), 10)]));
    const load = new CallLoad(TENANTS, 6, (body) => running.send(body));
    await Bun.sleep(1_500);
    await server.kill();
    const ready = await Promise.all(
      running.instances.map(async ({ server: one }) => fetch(`${one?.url}/health/ready`)),
    );
    expect(ready.map(({ status }) => status)).toEqual([503, 503, 503]);
    const [lost] = callWebhooks("a", "while-away", 1);
    const refused = await sendWebhook(running.nextUrl(), lost?.body ?? "");
    expect(refused.status).toBe(503);
    await Bun.sleep(2_000);
    await server.start();
    for (const { server: one } of running.instances) await one?.waitUntilReady();
    await Bun.sleep(2_000);
    while (load.count <= 50) await Bun.sleep(50);
    await load.end();
    expect(await outcome(load, arrivals)).toEqual({ missing: [], disordered: [] });
    await running.end();
    fleet = undefined;
  } finally {
    await server.stop();
  }
}, 240_000);

test("a room whose events come to three servers at the same time gives each tenant its own callers, and both the rest", async () => {
  const { fleet: running } = await started(3);
  const rooms = Array.from({ length: 5 }, (_, i) => `conf${i}`);
  const webhook = (room: string, name: string, members: JsonObject = {}) =>
    JSON.stringify(
      webhookJson(name, { room: { sid: `RM_${room}`, name: `sip-${room}` }, id: `EV_${room}_${++sent}`, ...members }),
    );
  let sent = 0;
  const expected = { a: 0, b: 0 };
  for (const room of rooms) {
    const track = (who: string) => webhook(room, "track_published", { participant: { sid: `PA_${who}_${room}` } });
    const joined = (who: string) =>
      webhook(room, "participant_joined", { participant: caller(`PA_${who}_${room}`, `${who}.example.com`) });
    const agent = { sid: `PA_agent_${room}`, kind: "AGENT" };
    // In each wave all at once, each to another server. A caller's own come one after the other, as LiveKit sends them.
    const waves = [
      [webhook(room, "room_started"), joined("a"), joined("b")],
      [track("a"), track("b"), webhook(room, "participant_joined", { participant: agent })],
      [track("a"), track("b"), track("agent")],
      [webhook(room, "room_finished")],
    ];
    for (const wave of waves) expect(await Promise.all(wave.map((body) => running.send(body)))).not.toContain(false);
    // The three of its own caller, and the four without one.
    expected.a += 7;
    expected.b += 7;
  }
  const bodies = (tenant: string) => [...new Set(running.tenant(tenant).requests.map(({ body }) => body.toString()))];
  const deadline = Date.now() + 20_000;
  while ((bodies("a").length < expected.a || bodies("b").length < expected.b) && Date.now() < deadline)
    await Bun.sleep(50);
  expect({ a: bodies("a").length, b: bodies("b").length }).toEqual(expected);
  expect(bodies("a").join("")).not.toContain("PA_b_");
  expect(bodies("b").join("")).not.toContain("PA_a_");
  expect(running.tenant("c").requests).toEqual([]);
}, 240_000);

test("with sslmode=verify-full everything goes to the database by TLS, whose CA is named as for the hooks", async () => {
  const ca = await testCa();
  const server = await killableServer(await ca.issue(["localhost", "127.0.0.1"]));
  try {
    const options = { instances: 1, tenants: ["a"], postgres: server.url, parameters: "?sslmode=verify-full" };
    fleet = await Fleet.start(options);
    const [first] = callWebhooks("a", "tls", 1);
    expect(await fleet.send(first?.body ?? "")).toBe(true);
    const sql = new SQL({ url: server.url, max: 1 });
    const rows =
      await sql`select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'sayna-sip'`;
    await sql.close();
    expect([...rows]).toEqual([{ ssl: true }]);
    await fleet.end();
    fleet = undefined;
  } finally {
    await server.stop();
  }
}, 240_000);

test("a network to the database that stalls, resets and refuses loses nothing and breaks no order", async () => {
  const { fleet: running, arrivals } = await started(3);
  const networks = running.instances.map(({ network }) => network);
  const load = new CallLoad(TENANTS, 9, (body) => running.send(body));
  await Bun.sleep(1_000);
  networks[0]?.stall();
  for (let i = 0; i < 10; i++) {
    networks[1]?.reset();
    await Bun.sleep(300);
  }
  networks[2]?.refuse();
  await Bun.sleep(3_000);
  networks[2]?.heal();
  await Bun.sleep(7_000);
  networks[0]?.heal();
  await Bun.sleep(2_000);
  await load.end();
  expect(await outcome(load, arrivals)).toEqual({ missing: [], disordered: [] });
  for (const { server } of running.instances) await server?.waitUntilReady();
}, 240_000);

test("a hook that is added at one instance gets the calls that come to another, at once", async () => {
  const { fleet: running } = await started(2);
  const [one, two] = running.instances.map(({ server }) => server?.url ?? "");
  const url = running.tenant("a").url("/added");
  const added = await fetch(`${one}/sip/hooks`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ hooks: [{ host: "added.example.com", url, auth_id: "a" }] }),
  });
  expect(added.status).toBe(200);
  // It is told, or looks each second; a slow machine has more to do meanwhile.
  const mostMs = 5_000;
  const from = Date.now();
  const listed = async () =>
    (await fetch(`${two}/sip/hooks`).then((answer) => answer.text())).includes("added.example");
  while (!(await listed())) await Bun.sleep(10);
  expect(Date.now() - from).toBeLessThan(mostMs);

  const removed = await fetch(`${two}/sip/hooks`, {
    method: "DELETE",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ hosts: ["added.example.com"] }),
  });
  expect(removed.status).toBe(200);
  const again = Date.now();
  const gone = async () => !(await fetch(`${one}/sip/hooks`).then((answer) => answer.text())).includes("added.example");
  while (!(await gone())) await Bun.sleep(10);
  expect(Date.now() - again).toBeLessThan(mostMs);
}, 240_000);

test("the password of the database is in no line of the log, also when it cannot be reached", async () => {
  const { fleet: running } = await started(1);
  const { server, network } = running.instance(0);
  network.refuse();
  const ready = await fetch(`${server?.url}/health/ready`);
  expect(ready.status).toBe(503);
  await fetch(`${server?.url}/livekit/webhook`, { method: "POST" });
  await Bun.sleep(1_500);
  expect(running.text()).not.toContain(new URL(running.databaseUrl).password);
  network.heal();
  await server?.waitUntilReady();
  const [first] = callWebhooks("a", "after", 1);
  expect(await running.send(first?.body ?? "")).toBe(true);
}, 240_000);
