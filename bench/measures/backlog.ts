import { rm } from "node:fs/promises";
import type { Bench } from "../bench";
import { storeEvents } from "../load/stored-events";
import { cancelDeliveries, pauseHooks, resumeHooks } from "../load/manage";
import { makeDataDir, type Hook, type Target } from "../load/target";
import type { Measure, Raw } from "../measure";
import { percentile } from "../statistics";

const BACKLOG = 1_000_000;
const RATE = 200;
const SETTLED_MS = 2_000;
/** Nothing listens on its port. */
const DEAD: Hook = { host: "dead.example.com", url: "https://localhost:1/hook", authId: "dead" };

/** What a million deliveries that wait for a dead hook do to the rest, to memory, and to a start after `kill -9`. */
export const backlog: Measure = {
  name: `beside ${BACKLOG.toLocaleString("en-US")} deliveries for a dead hook`,
  async round(bench) {
    pristine ??= await storeEvents({ hook: DEAD, events: BACKLOG });
    const without = await makeDataDir();
    const raw: Raw = { ...(await measure(bench, without, "without")), ...(await measure(bench, pristine, "with")) };
    await rm(without, { recursive: true });
    return raw;
  },
  async end() {
    if (pristine !== undefined) await rm(pristine, { recursive: true });
  },
  figures: (median) => [
    {
      name: "acknowledged, of what it is without",
      value: median("with: acknowledged") / median("without: acknowledged"),
      atLeast: 0.85,
    },
    ...[50, 99].map((p) => ({
      name: `delivery p${p} at ${RATE} events/s, of what it is without`,
      value: median(`with: delivered p${p}`) / median(`without: delivered p${p}`),
      atMost: 1.5,
    })),
    { name: "resident memory after the start", value: median("with: memory at first"), unit: "MB", atMost: 250 },
    { name: "most resident memory under load", value: median("with: most memory"), unit: "MB", atMost: 250 },
    { name: "start after kill -9", value: median("with: start"), unit: "ms", atMost: 2_000 },
  ],
};

let pristine: string | undefined;

async function measure(bench: Bench, dataDir: string, name: "with" | "without"): Promise<Raw> {
  const hooks = bench.hooks(1);
  const all = [...hooks, DEAD];
  let service: Target = await bench.service({ hooks: all, dataDir });
  await Bun.sleep(SETTLED_MS);
  const atFirst = await service.memory();
  const delivered = await bench.load(service, hooks, { rate: RATE });
  const { latencies } = await bench.deliveries(delivered);
  await pauseHooks(service, hooks);
  const acknowledged = await bench.load(service, hooks, { connections: 64, callsAtOnce: 256 });
  const most = await service.mostMemory();
  await service.stop("SIGKILL");
  service = await bench.service({ hooks: all, dataDir });
  const { startedIn } = service;
  // The next round must not find them waiting for the hook that works.
  await cancelDeliveries(service, hooks);
  await resumeHooks(service, hooks);
  await service.stop();
  return {
    [`${name}: acknowledged`]: acknowledged.perSecond,
    [`${name}: delivered p50`]: percentile(latencies, 0.5),
    [`${name}: delivered p99`]: percentile(latencies, 0.99),
    [`${name}: memory at first`]: atFirst / 1e6,
    [`${name}: most memory`]: most / 1e6,
    [`${name}: start`]: startedIn,
  };
}
