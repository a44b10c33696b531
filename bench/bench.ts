import { testCa, type Certificate } from "../test/support/test-ca";
import { startGenerator, startReceiver, type Child } from "./load/child";
import type { LoadJob, LoadResult } from "./load/generator";
import type { ReceiverAnswer, ReceiverJob } from "./load/receiver";
import {
  startLimit,
  startNaive,
  startSameRows,
  startService,
  type Hook,
  type ServiceOptions,
  type Target,
} from "./load/target";

/** What all measures use: the load, the tenants' hooks, and the servers under load. */
export type Bench = {
  /** Seconds that a load is measured for, after `warmUpSeconds`. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Hooks of so many tenants; the receiver answers all of them at once. */
  hooks(tenants: number): readonly Hook[];
  /** A hook of one more tenant, whose server is a process of its own. */
  hookApart(): Promise<Hook>;
  /** Runs the load against a server with calls to these hooks. */
  load(target: Target, hooks: readonly Hook[], job: Partial<LoadJob>): Promise<LoadResult>;
  /** The same by another process, beside `load`: what the measured load is to be disturbed by. */
  disturb(target: Target, hooks: readonly Hook[], job: Partial<LoadJob>): Promise<LoadResult>;
  /** Waits until all of these events came, or no more do, and says how long each was on its way, ascending, in ms. */
  deliveries(result: LoadResult): Promise<{ readonly latencies: readonly number[]; readonly lastArrival: number }>;
  receiver(job: ReceiverJob): Promise<ReceiverAnswer>;
  limit(): Promise<Target>;
  naive(): Promise<Target>;
  /** See `support/same-rows.ts`. */
  sameRows(): Promise<Target>;
  service(options: ServiceOptions): Promise<Target>;
  stop(): Promise<void>;
};

const HOOKS = 100;
const STALLED_MS = 15_000;

export async function createBench({ seconds }: { readonly seconds: number }): Promise<Bench> {
  const ca = await testCa();
  const certificate: Certificate = await ca.issue(["localhost", "127.0.0.1"]);
  const generator: Child<LoadJob, LoadResult> = startGenerator();
  let disturber: Child<LoadJob, LoadResult> | undefined;
  const receiver: Child<ReceiverJob, ReceiverAnswer> = startReceiver();
  let apart: { readonly receiver: Child<ReceiverJob, ReceiverAnswer>; readonly hook: Promise<Hook> } | undefined;
  const { ports = [] } = await receiver.do({ kind: "listen", hooks: HOOKS, certificate });
  const warmUpSeconds = 2;
  let jobs = 0;

  function toJob({ port }: Target, hooks: readonly Hook[], job: Partial<LoadJob>): LoadJob {
    return {
      port,
      hosts: hooks.map(({ host }) => host),
      callsAtOnce: 100,
      connections: 8,
      prefix: `${process.pid}x${jobs++}x`,
      warmUpSeconds,
      seconds,
      ...job,
    };
  }

  function hookOf(name: string, port: number): Hook {
    return { host: `${name}.example.com`, url: `https://localhost:${port}/hook`, authId: name };
  }

  function startApart() {
    const own: Child<ReceiverJob, ReceiverAnswer> = startReceiver();
    const listening = own.do({ kind: "listen", hooks: 1, certificate });
    return { receiver: own, hook: listening.then(({ ports: [port = 0] = [] }) => hookOf("tenant-apart", port)) };
  }

  return {
    seconds,
    warmUpSeconds,
    hooks: (tenants) => ports.slice(0, tenants).map((port, i) => hookOf(`tenant-${i}`, port)),
    hookApart: () => (apart ??= startApart()).hook,
    load: (target, hooks, job) => generator.do(toJob(target, hooks, job)),
    disturb: (target, hooks, job) => (disturber ??= startGenerator()).do(toJob(target, hooks, job)),
    async deliveries({ acknowledged }) {
      const wanted = Object.keys(acknowledged);
      let seen = -1;
      for (let since = performance.now(); performance.now() - since < STALLED_MS; await Bun.sleep(50)) {
        const { count = 0 } = await receiver.do({ kind: "count" });
        if (count !== seen) since = performance.now();
        seen = count;
        if (count >= wanted.length && (await receiver.do({ kind: "missing", ids: wanted })).count === 0) break;
      }
      const { arrivals = {} } = await receiver.do({ kind: "take" });
      const latencies = wanted.flatMap((id) => (id in arrivals ? [(arrivals[id] ?? 0) - (acknowledged[id] ?? 0)] : []));
      if (latencies.length < wanted.length) {
        throw new Error(`${wanted.length - latencies.length} of ${wanted.length} events were not delivered`);
      }
      return { latencies: latencies.toSorted((a, b) => a - b), lastArrival: Math.max(...Object.values(arrivals)) };
    },
    receiver: (job) => receiver.do(job),
    limit: startLimit,
    naive: () => startNaive(`https://localhost:${ports[0]}`, ca.caFile),
    sameRows: startSameRows,
    service: (options) => startService({ caFile: ca.caFile, ...options }),
    stop: async () => {
      await generator.stop();
      await disturber?.stop();
      await receiver.stop();
      await apart?.receiver.stop();
    },
  };
}
