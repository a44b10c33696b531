import type { Measure } from "../measure";

const SETTLED_MS = 2_000;

/** How long an empty service takes to start, and its memory idle and under load. */
export const startAndMemory: Measure = {
  name: "start and memory",
  async round(bench) {
    const hooks = bench.hooks(20);
    const service = await bench.service({ hooks });
    await Bun.sleep(SETTLED_MS);
    const idle = await service.memory();
    const result = await bench.load(service, hooks, { connections: 64, callsAtOnce: 400 });
    await bench.deliveries(result);
    const most = await service.mostMemory();
    await service.stop();
    return { start: service.startedIn, idle: idle / 1e6, most: most / 1e6 };
  },
  figures: (median) => [
    { name: "start to ready", value: median("start"), unit: "ms", atMost: 400 },
    { name: "resident memory, idle", value: median("idle"), unit: "MB", atMost: 90 },
    { name: "most resident memory, as many events as it takes", value: median("most"), unit: "MB", atMost: 200 },
  ],
};
