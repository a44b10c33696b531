import type { Bench } from "../bench";
import { pauseHooks, resumeHooks } from "../load/manage";
import type { Hook, Target } from "../load/target";
import type { Measure, Raw } from "../measure";
import { percentile } from "../statistics";

const RATE = 100;
const SECONDS = 10;
const OVERDUE = 100_000;
const HEALTHY = { from: 0, to: 10 };
const BAD = { from: 20, to: 70 };
const BAD_TENANTS = 10;

/** What hooks do beside the healthy ones, whose p99 is compared with what it is when these answer as well. */
const TROUBLES = [
  { name: "one hook that hangs", from: BAD.from, to: BAD.from + 1 },
  { name: "50 hooks of ten tenants that hang", ...BAD },
] as const;

/** Whether hooks that hang, or have much to catch up with, are felt by those of other tenants. */
export const fairness: Measure = {
  name: "fairness",
  async round(bench) {
    const raw: Record<string, number> = {};
    for (const trouble of TROUBLES) Object.assign(raw, await besideHanging(bench, trouble));
    return { ...raw, ...(await besideOverdue(bench)) };
  },
  figures: (median) =>
    [...TROUBLES.map(({ name }) => name), OVERDUE_NAME].map((name) => ({
      name: `delivery p99 of the others beside ${name}, of what it was`,
      value: median(`${name}: beside`) / median(`${name}: before`),
      atMost: 2,
    })),
};

const OVERDUE_NAME = `${OVERDUE.toLocaleString("en-US")} overdue deliveries`;

function allHooks(bench: Bench): readonly Hook[] {
  return bench
    .hooks(BAD.to)
    .map((hook, i) => (i < BAD.from ? hook : { ...hook, authId: `bad-tenant-${i % BAD_TENANTS}` }));
}

/** The same events both times; the hooks of the trouble answer the first time, and hang the second. */
async function besideHanging(bench: Bench, { name, from, to }: (typeof TROUBLES)[number]): Promise<Raw> {
  const hooks = allHooks(bench);
  const service = await bench.service({ hooks });
  const raw: Record<string, number> = {};
  for (const [phase, delay] of [
    ["before", 0],
    ["beside", Infinity],
  ] as const) {
    await bench.receiver({ kind: "behave", from, to, delay });
    const disturbing = bench.disturb(service, hooks.slice(from, to), { rate: RATE, seconds: SECONDS });
    raw[`${name}: ${phase}`] = await healthyP99(bench, service, hooks);
    await disturbing;
  }
  await service.stop("SIGKILL");
  await bench.receiver({ kind: "behave", from, to, delay: 0 });
  return raw;
}

/**
 * Everything of one hook becomes due at once, and it answers as fast as it can: from a process of its own, so that the others do
 * not wait for each other at the receiver.
 */
async function besideOverdue(bench: Bench): Promise<Raw> {
  const hooks = allHooks(bench);
  const behind = [await bench.hookApart()];
  const service = await bench.service({ hooks: [...hooks, ...behind] });
  const before = await healthyP99(bench, service, hooks);
  await pauseHooks(service, behind);
  await bench.disturb(service, behind, { connections: 64, callsAtOnce: 400, warmUpSeconds: 0, events: OVERDUE });
  await resumeHooks(service, behind);
  const beside = await healthyP99(bench, service, hooks);
  await service.stop("SIGKILL");
  return { [`${OVERDUE_NAME}: before`]: before, [`${OVERDUE_NAME}: beside`]: beside };
}

async function healthyP99(bench: Bench, service: Target, hooks: readonly Hook[]): Promise<number> {
  const healthy = hooks.slice(HEALTHY.from, HEALTHY.to);
  const result = await bench.load(service, healthy, { rate: RATE, seconds: SECONDS });
  const { latencies } = await bench.deliveries(result);
  return percentile(latencies, 0.99);
}
