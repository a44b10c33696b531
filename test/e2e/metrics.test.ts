import { afterAll, beforeAll, expect, test } from "bun:test";
import { CallLoad } from "../support/call-load";
import { parseExposition, valueOf, type Family } from "../support/exposition";
import { sendWebhook } from "../support/livekit-sender";
import { ok, World } from "../support/world";

const TENANTS = ["a", "b", "c"];

let world: World;
let asked = 0;

beforeAll(async () => {
  world = await World.start({
    tenants: Object.fromEntries(TENANTS.map((name) => [name, [{ host: `${name}.example.com` }]])),
    receivers: { c: { respond: () => (++asked % 5 === 0 ? { status: 503 } : ok) } },
  });
});
afterAll(() => world.end());

async function scrape(): Promise<ReadonlyMap<string, Family>> {
  const response = await fetch(`${world.server.url}/metrics`);
  expect(response.status).toBe(200);
  return parseExposition(await response.text());
}

test("under load every scrape is well formed, counters never fall, and at the end the sums are those of what was sent", async () => {
  const load = new CallLoad(TENANTS, 12, async (body) => (await sendWebhook(world.server.url, body)).status === 200, 1);
  let before = await scrape();
  for (let n = 0; n < 15; n++) {
    await Bun.sleep(50);
    const now = await scrape();
    expect([...now.keys()]).toEqual([...before.keys()]);
    for (const [name, { type, series }] of now) {
      if (type === "gauge") continue;
      for (const [key, value] of series) {
        const was = before.get(name)?.series.get(key) ?? 0;
        if (value < was) throw new Error(`${key} fell from ${was} to ${value}`);
      }
    }
    before = now;
  }
  await load.end();
  const acknowledged = load.count;
  expect(acknowledged).toBeGreaterThan(100);
  let last = await scrape();
  for (
    let n = 0;
    n < 200 && (valueOf(last, 'sayna_sip_deliveries_total{outcome="delivered"}') ?? 0) < acknowledged;
    n++
  ) {
    await Bun.sleep(50);
    last = await scrape();
  }
  const value = (series: string) => valueOf(last, series);
  expect({
    kept: value('sayna_sip_webhooks_total{result="kept"}'),
    acknowledged: value("sayna_sip_acknowledgement_seconds_count"),
    committed: value("sayna_sip_commit_events_sum"),
    delivered: value('sayna_sip_deliveries_total{outcome="delivered"}'),
    queued: value("sayna_sip_queueing_seconds_count"),
    dead: value('sayna_sip_deliveries_total{outcome="dead"}'),
  }).toEqual({
    kept: acknowledged,
    acknowledged,
    committed: acknowledged,
    delivered: acknowledged,
    queued: acknowledged,
    dead: 0,
  });
  expect(value("sayna_sip_retries_total")).toBeGreaterThan(0);
  expect(value('sayna_sip_attempts_total{status="5xx"}')).toBe(value("sayna_sip_retries_total"));
  expect(value("process_resident_memory_bytes")).toBeGreaterThan(20e6);
}, 240_000);
