import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DATABASE_FILE } from "../../plugins/storage/sqlite";
import { isAllSettled } from "../load/manage";
import { eventsOfCall, EVENTS_PER_CALL } from "../load/calls";
import { makeDataDir } from "../load/target";
import type { Measure } from "../measure";

const EVENTS = 20_000;
const HOOKS = 20;

/** Bytes of the database for each delivered event, the answers being empty, before retention. */
export const disk: Measure = {
  name: "room on the disk",
  rounds: 1,
  async round(bench) {
    const hooks = bench.hooks(HOOKS);
    const dataDir = await makeDataDir();
    const service = await bench.service({ hooks, dataDir });
    await bench.deliveries(
      await bench.load(service, hooks, { connections: 64, callsAtOnce: 400, warmUpSeconds: 0, events: EVENTS }),
    );
    while (!(await isAllSettled(service))) await Bun.sleep(5);
    // A stop writes the WAL into the database.
    await service.stop();
    const { size } = await stat(join(dataDir, DATABASE_FILE));
    await rm(dataDir, { recursive: true });
    const bodies = eventsOfCall("one", hooks[0]?.host ?? "").map(({ body }) => Buffer.byteLength(body));
    const body = bodies.reduce((sum, bytes) => sum + bytes, 0) / EVENTS_PER_CALL;
    return { body, event: size / EVENTS };
  },
  figures: (median) => [
    { name: "an event", value: median("event"), unit: "B" },
    { name: "of its body", value: median("event") / median("body"), atMost: 3 },
  ],
};
