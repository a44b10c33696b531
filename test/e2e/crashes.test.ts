import { afterEach, expect, test } from "bun:test";
import { sendLikeLiveKit } from "../support/livekit-sender";
import { caller, webhookJson } from "../support/webhooks";
import type { ReceivedRequest } from "../support/received-request";
import type { Answer } from "../support/tls-receiver";
import { quiet, World } from "../support/world";

let world: World | undefined;

afterEach(async () => {
  await world?.end();
  world = undefined;
});

const idOf = (request: ReceivedRequest) => request.header("webhook-id") ?? "";

/** The webhooks of one call, in order; each names its call and its number. */
function callEvents(call: string, count: number): { id: string; body: string }[] {
  const room = { sid: `RM_${call}`, name: `sip-${call}` };
  return Array.from({ length: count }, (_, n) => {
    const members = { room, id: `EV_${call}_${n}`, participant: caller(`PA_${call}`, "tenant-a.example.com") };
    const name = n === 0 ? "room_started" : n === 1 ? "participant_joined" : "track_published";
    const json = webhookJson(name, n === 0 ? { room, id: members.id } : members);
    return { id: members.id, body: JSON.stringify(json) };
  });
}

/** In which order each call's ids came for the first time. */
function firstArrivals(requests: readonly ReceivedRequest[]): Map<string, string[]> {
  const calls = new Map<string, string[]>();
  for (const id of new Set(requests.map(idOf))) {
    const call = id.split("_")[1] ?? "";
    calls.set(call, [...(calls.get(call) ?? []), id]);
  }
  return calls;
}

test("kill -9, 20 times, with deliveries under way: every acknowledged event arrives, each call in order", async () => {
  const own = await World.start({
    tenants: { a: [{ host: "tenant-a.example.com" }] },
    sip: { delivery: { schedule: Array.from({ length: 12 }, () => "200ms"), concurrency: 4 } },
  });
  world = own;
  const { requests } = own.tenant("a");
  // Every fifth request fails, and each takes a moment, so that something is under way when the process is killed.
  let asked = 0;
  let underWay = 0;
  const answered = new Set<string>();
  own.tenant("a").respondWith(async (request): Promise<Answer> => {
    underWay++;
    await Bun.sleep(20);
    underWay--;
    if (++asked % 5 === 0) return { status: 503 };
    answered.add(idOf(request));
    return {};
  });

  /** The 200s as the sender saw them: what must arrive. */
  const acknowledged: string[] = [];
  let running = true;
  let calls = 0;
  const patience = Array.from({ length: 1000 }, () => 25);
  const senders = Array.from({ length: 4 }, async () => {
    while (running && world === own) {
      for (const { id, body } of callEvents(String(calls++), 6)) {
        const { delivered } = await sendLikeLiveKit(() => own.server.url, body, patience);
        if (delivered) acknowledged.push(id);
        await Bun.sleep(10);
      }
    }
  });
  for (let round = 0; round < 20; round++) {
    const before = acknowledged.length;
    await Bun.sleep(Math.random() * 100);
    // A kill while nothing is under way proves nothing, and a slow machine takes its time until something is.
    const isAtWork = () => underWay > 0 && acknowledged.some((id) => !answered.has(id));
    while (acknowledged.length < before + 3 || !isAtWork()) await Bun.sleep(1);
    await own.server.killHard();
    await own.startAgain();
  }
  running = false;
  await Promise.all(senders);
  const all = new Set(acknowledged);
  const deadline = Date.now() + 60_000;
  while ([...all].some((id) => !answered.has(id)) && Date.now() < deadline) await Bun.sleep(50);
  await quiet([own.tenant("a")]);

  expect([...all].filter((id) => !answered.has(id))).toEqual([]);
  expect(all.size).toBeGreaterThan(60);
  for (const [name, ids] of firstArrivals(requests)) {
    const numbers = ids.map((id) => Number(id.split("_")[2]));
    expect([name, numbers]).toEqual([name, numbers.toSorted((a, b) => a - b)]);
  }
}, 240_000);

test("a restart under load loses nothing, and no event is refused more than twice, where it takes less than 2 s", async () => {
  world = await World.start({
    tenants: { a: [{ host: "tenant-a.example.com" }] },
    config: { server: { port: await freePort() } },
  });
  world.tenant("a").respondWith(async () => {
    await Bun.sleep(5);
    return {};
  });
  const url = world.server.url;
  const sent: string[] = [];
  let most = 0;
  let running = true;
  // LiveKit sends a room's events one after the other, and rooms beside each other.
  const rooms = Array.from({ length: 8 }, async (_, room) => {
    for (let n = 0; running; n++) {
      for (const { id, body } of callEvents(`r${room}x${n}`, 5)) {
        const { attempts, delivered } = await sendLikeLiveKit(() => url, body);
        most = Math.max(most, attempts);
        if (delivered) sent.push(id);
      }
    }
  });
  await Bun.sleep(500);
  let longestMs = 0;
  for (let i = 0; i < 2; i++) {
    const begun = Date.now();
    expect(await world.server.stop()).toBe(0);
    await world.startAgain();
    longestMs = Math.max(longestMs, Date.now() - begun);
    await Bun.sleep(1500);
  }
  running = false;
  await Promise.all(rooms);
  await quiet([world.tenant("a")], 1000);
  const arrived = new Set(world.tenant("a").requests.map(idOf));
  expect(sent.filter((id) => !arrived.has(id))).toEqual([]);
  expect(sent.length).toBeGreaterThan(100);
  // LiveKit asks again after 1 and 3 s, or each second as Retry-After says: on a slow machine more of that falls into a restart.
  expect(most).toBeLessThanOrEqual(Math.max(3, 2 + Math.floor(longestMs / 1000)));
  for (const [name, ids] of firstArrivals(world.tenant("a").requests)) {
    expect([name, ids.map((id) => Number(id.split("_")[2]))]).toEqual([name, ids.map((_, i) => i)]);
  }
}, 240_000);

async function freePort(): Promise<number> {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = server;
  await server.stop(true);
  return port ?? 0;
}
