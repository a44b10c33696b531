import type { Measure } from "../measure";
import { percentile } from "../statistics";

const RATE = 500;

/** How late acknowledgements are at 500 events/s with deliveries going out. */
export const busy: Measure = {
  name: `acknowledgement at ${RATE} events/s`,
  async round(bench) {
    const hooks = bench.hooks(1);
    const load = { rate: RATE, callsAtOnce: 200 };
    const naive = await bench.naive();
    const atNaive = await bench.load(naive, hooks, load);
    await naive.stop();
    await bench.receiver({ kind: "take" });
    const service = await bench.service({ hooks });
    const ours = await bench.load(service, hooks, load);
    await bench.deliveries(ours);
    await service.stop();
    return {
      "naive p99": percentile(atNaive.latencies, 0.99),
      "ours p99": percentile(ours.latencies, 0.99),
      "ours longest": percentile(ours.latencies, 1),
    };
  },
  figures: (median) => [
    { name: "p99, more than naive's", value: median("ours p99") - median("naive p99"), unit: "ms", atMost: 5 },
    { name: "longest", value: median("ours longest"), unit: "ms", atMost: 100 },
  ],
};
