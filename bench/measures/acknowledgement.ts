import { pauseHooks } from "../load/manage";
import type { Measure } from "../measure";

/** Acknowledged events per second, durable, nothing sent: its hook is paused. */
const acknowledgement = (connections: number): Measure => ({
  name: `acknowledged, ${connections} connection${connections === 1 ? "" : "s"}`,
  async round(bench) {
    const load = { connections, callsAtOnce: Math.max(connections * 4, 64) };
    const limit = await bench.limit();
    const atLimit = await bench.load(limit, bench.hooks(1), load);
    await limit.stop();
    const sameRows = await bench.sameRows();
    const atSameRows = await bench.load(sameRows, bench.hooks(1), load);
    await sameRows.stop();
    const service = await bench.service({ hooks: bench.hooks(1) });
    await pauseHooks(service, bench.hooks(1));
    const ours = await bench.load(service, bench.hooks(1), load);
    await service.stop();
    return { limit: atLimit.perSecond, sameRows: atSameRows.perSecond, ours: ours.perSecond };
  },
  figures: (median) => [
    { name: "events/s", value: median("ours"), unit: "/s" },
    { name: "of limit's", value: median("ours") / median("limit"), atLeast: 0.7 },
    { name: "a bare program with the same rows, of limit's", value: median("sameRows") / median("limit") },
  ],
});

export const acknowledgements: readonly Measure[] = [acknowledgement(64), acknowledgement(1)];
