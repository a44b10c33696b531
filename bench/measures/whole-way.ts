import { isAllSettled } from "../load/manage";
import type { Measure } from "../measure";

const EVENTS = 20_000;

/** Events per second that are received, stored, delivered over TLS and settled: 20 hooks, 400 calls at once, as fast as it goes. */
export const wholeWay: Measure = {
  name: "the whole way",
  async round(bench) {
    const load = { connections: 64, callsAtOnce: 400 };
    const limit = await bench.limit();
    const atLimit = await bench.load(limit, bench.hooks(20), load);
    await limit.stop();
    const service = await bench.service({ hooks: bench.hooks(20) });
    const result = await bench.load(service, bench.hooks(20), { ...load, warmUpSeconds: 0, events: EVENTS });
    const { latencies } = await bench.deliveries(result);
    while (!(await isAllSettled(service))) await Bun.sleep(5);
    const settled = performance.timeOrigin + performance.now();
    await service.stop();
    return { limit: atLimit.perSecond, ours: (latencies.length * 1000) / (settled - result.began) };
  },
  figures: (median) => [
    { name: "events/s", value: median("ours"), unit: "/s" },
    { name: "of limit's acknowledgements", value: median("ours") / median("limit"), atLeast: 0.2 },
  ],
};
