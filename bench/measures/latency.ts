import type { Measure } from "../measure";
import { percentile } from "../statistics";

const RATE = 200;

/** How late acknowledgements and deliveries are at 200 events/s, one tenant and fifty. */
export const latency: Measure = {
  name: `latency at ${RATE} events/s`,
  async round(bench) {
    const limit = await bench.limit();
    const atLimit = await bench.load(limit, bench.hooks(1), { rate: RATE });
    await limit.stop();
    const raw: Record<string, number> = {
      "limit p50": percentile(atLimit.latencies, 0.5),
      "limit p99": percentile(atLimit.latencies, 0.99),
    };
    for (const tenants of [1, 50]) {
      const hooks = bench.hooks(tenants);
      const service = await bench.service({ hooks });
      const result = await bench.load(service, hooks, { rate: RATE });
      const { latencies } = await bench.deliveries(result);
      await service.stop();
      for (const share of [0.5, 0.95, 0.99]) {
        raw[`${tenants} acknowledged p${share * 100}`] = percentile(result.latencies, share);
        raw[`${tenants} delivered p${share * 100}`] = percentile(latencies, share);
      }
    }
    return raw;
  },
  figures: (median) => [
    { name: "limit's acknowledgement p50", value: median("limit p50"), unit: "ms" },
    { name: "acknowledgement p50, of limit's", value: median("1 acknowledged p50") / median("limit p50"), atMost: 1.5 },
    { name: "acknowledgement p99, of limit's", value: median("1 acknowledged p99") / median("limit p99"), atMost: 2 },
    ...[1, 50].flatMap((tenants) =>
      (
        [
          [50, 1.3],
          [95, 3],
          [99, 6],
        ] as const
      ).map(([p, atMost]) => ({
        name: `delivery p${p}, ${tenants} tenant${tenants === 1 ? "" : "s"}, of limit's acknowledgement p50`,
        value: median(`${tenants} delivered p${p}`) / median("limit p50"),
        atMost,
      })),
    ),
  ],
};
