import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DATABASE_FILE } from "../../plugins/storage/sqlite";
import type { Bench } from "../bench";
import { storeEvents } from "../load/stored-events";
import type { Measure, Raw } from "../measure";
import { percentile } from "../statistics";

const EVENTS = 100_000;
const RATE = 200;
const DAY_MS = 86_400_000;
/** A service looks for what is to be removed ten seconds after its start. */
const BEGUN_MS = 12_000;
const DEADLINE_MS = 300_000;

/** What the acknowledgements feel of the removal of old events, and how much of the file is given back. */
export const retention: Measure = {
  name: `removal of ${EVENTS.toLocaleString("en-US")} old events`,
  async round(bench) {
    const [hook] = bench.hooks(1);
    if (hook === undefined) throw new Error("the bench has no hook");
    const dataDir = await storeEvents({ hook, events: EVENTS, deliveredAt: Date.now() - 8 * DAY_MS });
    const raw = { ...(await beforeIt(bench, dataDir)), ...(await meanwhile(bench, dataDir)) };
    await rm(dataDir, { recursive: true });
    return raw;
  },
  figures: (median) => [
    {
      name: `acknowledgement p99 at ${RATE} events/s meanwhile, of what it was before`,
      value: median("meanwhile p99") / median("before p99"),
      atMost: 2,
    },
    { name: "the longest one meanwhile", value: median("meanwhile longest"), unit: "ms", atMost: 100 },
    { name: "events removed in a second", value: median("removed"), unit: "/s" },
    { name: "the file after it, of what it was", value: median("after") / median("before"), atMost: 0.5 },
  ],
};

async function beforeIt(bench: Bench, dataDir: string): Promise<Raw> {
  const hooks = bench.hooks(1);
  const before = (await stat(join(dataDir, DATABASE_FILE))).size;
  const service = await bench.service({ hooks, dataDir, config: { retention: { delivered: "30d" } } });
  const result = await bench.load(service, hooks, { rate: RATE });
  await bench.deliveries(result);
  await service.stop();
  return { before, "before p99": percentile(result.latencies, 0.99) };
}

async function meanwhile(bench: Bench, dataDir: string): Promise<Raw> {
  const hooks = bench.hooks(1);
  const log = Bun.file(join(dataDir, "log"));
  const service = await bench.service({ hooks, dataDir });
  await Bun.sleep(BEGUN_MS);
  const result = await bench.load(service, hooks, { rate: RATE });
  await bench.deliveries(result);
  let removal: RegExpExecArray | null = null;
  for (let began = performance.now(); removal === null; await Bun.sleep(100)) {
    if (performance.now() - began > DEADLINE_MS) throw new Error("the old events were not removed");
    removal = /"events":(\d+),"ms":(\d+),"msg":"Old events removed"/.exec(await log.text());
  }
  await service.stop();
  return {
    "meanwhile p99": percentile(result.latencies, 0.99),
    "meanwhile longest": percentile(result.latencies, 1),
    removed: (Number(removal[1]) * 1000) / Number(removal[2]),
    after: (await stat(join(dataDir, DATABASE_FILE))).size,
  };
}
