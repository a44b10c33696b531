import { World } from "../support/world";
import { sendWebhook } from "../support/livekit-sender";
import { callWebhooks, hostOf } from "./call-webhooks";
import { residentMemory } from "./resident-memory";
import { Findings, type Report, type Scenario } from "./scenario";

const TENANTS = Array.from({ length: 20 }, (_, i) => `t${i}`);
const CALLS_AT_ONCE = 40;
/** The senders wait when more than this is on its way, so that what is measured is a steady state. */
const MOST_UNDELIVERED = 2_000;
const ALL_ARRIVED_MS = 120_000;
/** Caches fill and the garbage collector breathes: what a leak of 1 KB for each event would be at 200,000 is 160 MB. */
const ALLOWED_GROWTH_MB = 60;

/** Sends many events through the real server with 20 hooks, and looks at its memory at each tenth. */
export const soak: Scenario = {
  name: "soak",
  about: "many events through 20 hooks: memory is flat after the first tenth",
  unit: "events",
  short: 3_000,
  long: 200_000,
  run: soakFor,
};

async function soakFor(seed: number, size: number): Promise<Report> {
  const findings = new Findings();
  const world = await World.start({
    tenants: Object.fromEntries(TENANTS.map((tenant) => [tenant, [{ host: hostOf(tenant), auth_id: tenant }]])),
    keepRequests: false,
  });
  try {
    const { url, pid } = world.server;
    let delivered = 0;
    for (const tenant of TENANTS) {
      world.tenant(tenant).respondWith(() => {
        delivered++;
        return {};
      });
    }
    const started = performance.now();
    let sent = 0;
    let calls = 0;
    let refused = 0;
    const tenths: number[][] = Array.from({ length: 10 }, () => []);
    const senders = Array.from({ length: CALLS_AT_ONCE }, async () => {
      while (sent < size) {
        const n = calls++;
        const tenant = TENANTS[(n + seed) % TENANTS.length] ?? "";
        for (const { body } of callWebhooks(`s${n}`, [tenant], 2)) {
          sent++;
          const { status } = await sendWebhook(url, body);
          if (status !== 200) refused++;
          while (sent - delivered > MOST_UNDELIVERED) await Bun.sleep(10);
        }
      }
    });
    const sample = setInterval(() => {
      tenths[Math.min(9, Math.floor((delivered / size) * 10))]?.push(residentMemory(pid));
      // The test keeps the server's log lines, and this is about the server's memory.
      world.server.lines.length = 0;
      world.server.raw.length = 0;
    }, 50);
    await Promise.all(senders);
    const deadline = Date.now() + ALL_ARRIVED_MS;
    while (delivered < sent && Date.now() < deadline) await Bun.sleep(20);
    clearInterval(sample);
    const seconds = (performance.now() - started) / 1000;

    const memory = tenths.map(median);
    const grown = (memory[9] ?? 0) - (memory[1] ?? 0);
    findings.check("every event was taken", refused === 0, `${refused} refused`);
    findings.check("every event was delivered once", delivered === sent, `${delivered} requests for ${sent} events`);
    findings.check("memory is flat after the first tenth", !(grown > ALLOWED_GROWTH_MB), `it grew by ${grown} MB`);
    return {
      figures: {
        events: sent,
        hooks: TENANTS.length,
        "events a second": Math.round(sent / seconds),
        ...Object.fromEntries(memory.map((mb, i) => [`memory in tenth ${i + 1}, MB`, mb])),
      },
      broken: findings.broken,
    };
  } finally {
    await world.end();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
