/**
 * What a forwarding table of 100,000 hooks costs: the requests that read and change it, and the acknowledgements beside
 * them, one each 5 ms. `bun bench/measures/hook-table.ts [hooks]`
 */
import { readFile, writeFile } from "node:fs/promises";
import { RECORDED_KEY } from "../../test/support/recordings";
import { ServerProcess, temporaryDirectory } from "../../test/support/server-process";
import { sendWebhooks } from "../support/acknowledgements";
import { median, percentile } from "../statistics";
import type { TableAnswer, TableRequest } from "../support/table-client";

export type HookTableOptions = { readonly hooks?: number; readonly rounds?: number };

/** Times in ms. */
export type OperationCost = {
  readonly name: string;
  /** Medians of the rounds. */
  readonly firstByte: number;
  readonly lastByte: number;
  readonly answerBytes: number;
  /** Of the acknowledgements meanwhile, of all rounds. */
  readonly acknowledged: number;
  readonly ackP50: number;
  readonly ackP99: number;
  readonly ackMax: number;
  /** The longest time for which the server's event loop did nothing else, of all rounds. */
  readonly longestStall: number;
  /** The most resident memory meanwhile, of all rounds. */
  readonly peakMegabytes: number;
};

export type HookTableCost = {
  readonly hooks: number;
  readonly operations: readonly OperationCost[];
  /** From the start of the process to the open port, in ms; medians. */
  readonly start: { readonly empty: number; readonly full: number };
  /** Resident megabytes after a start; medians. */
  readonly memory: { readonly empty: number; readonly full: number };
};

const OPS = "ops-token-1234567890";
const TENANT = "tenant-token-1234567890";
const HOOKS_PER_TENANT = 100;
const SEED_AT_A_TIME = 5_000;
const CHANGED = 1_000;
const ACK_EVERY_MS = 5;
/** What an answer leaves to be done, garbage too, counts for the operation. */
const AFTERWARDS_MS = 300;

type Entry = { host: string; url: string; auth_id: string; delivery?: object };

function entry(i: number, version = 1): Entry {
  const tenant = `t${Math.floor(i / HOOKS_PER_TENANT)}`;
  const host = i % 20 === 0 ? `*.h${i}.${tenant}.example.com` : `h${i}.${tenant}.example.com`;
  const url = `https://hooks.${tenant}.example/livekit/${i}?v=${version}`;
  return { host, url, auth_id: tenant, ...(i % 10 === 0 ? { delivery: { rate: 5, max_age: "12h" } } : {}) };
}

const entries = (from: number, count: number, version = 1): Entry[] =>
  Array.from({ length: count }, (_, i) => entry(from + i, version));
const hostsOf = (from: number, count: number) => ({ hosts: entries(from, count).map(({ host }) => host) });

/** A real server with a table of so many run-time hooks. */
class Subject {
  server: ServerProcess;
  readonly #directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  readonly #client: Bun.Subprocess;
  #answered: (answer: TableAnswer) => void = () => {};

  private constructor(server: ServerProcess, directory: Awaited<ReturnType<typeof temporaryDirectory>>) {
    this.server = server;
    this.#directory = directory;
    this.#client = Bun.spawn([process.execPath, new URL("../support/table-client.ts", import.meta.url).pathname], {
      stdio: ["ignore", "inherit", "inherit"],
      ipc: (answer: TableAnswer) => this.#answered(answer),
    });
  }

  static async start(): Promise<Subject> {
    const directory = await temporaryDirectory();
    return new Subject(await startServer(directory.path), directory);
  }

  ask(method: string, path: string, body?: unknown, token = OPS): Promise<TableAnswer> {
    const request: TableRequest = { method, url: this.server.url + path, token, body };
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#client.send(request);
    });
  }

  async version(): Promise<number> {
    const response = await fetch(`${this.server.url}/sip/hooks/versions?limit=1`, {
      headers: { authorization: `Bearer ${OPS}` },
    });
    const { versions } = (await response.json()) as { versions: { version: number }[] };
    return versions[0]?.version ?? 0;
  }

  async longestStall(): Promise<number> {
    const stalls = () => this.server.lines.filter(({ msg }) => msg === "Longest stall");
    const before = stalls().length;
    this.server.signal("SIGUSR2");
    await this.server.waitUntil(() => stalls().length > before, "its longest stall");
    return Number(stalls().at(-1)?.ms);
  }

  async megabytes(which: "VmRSS" | "VmHWM"): Promise<number> {
    const status = await readFile(`/proc/${this.server.pid}/status`, "utf8");
    return Number(new RegExp(`${which}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
  }

  /** `VmHWM` begins anew (Linux, proc(5)). */
  async forgetPeak(): Promise<void> {
    await writeFile(`/proc/${this.server.pid}/clear_refs`, "5");
  }

  /** Returns how long it took until the port was open. */
  async startAgain(): Promise<number> {
    await this.server.stop();
    const began = performance.now();
    this.server = await startServer(this.#directory.path);
    return performance.now() - began;
  }

  async end(): Promise<void> {
    this.#client.kill();
    await this.server.stop();
    await this.#directory.remove();
  }
}

function startServer(dataDir: string): Promise<ServerProcess> {
  return ServerProcess.start({
    dataDir,
    env: { BUN_OPTIONS: `--preload ${new URL("../support/stall-probe.ts", import.meta.url).pathname}` },
    config: {
      livekit: { url: "ws://127.0.0.1:1", api_key: RECORDED_KEY.apiKey, api_secret: RECORDED_KEY.apiSecret },
      auth: {
        required: true,
        api_secrets: [
          { id: "ops", secret: OPS },
          { id: "t7", secret: TENANT, role: "tenant", hosts: ["*.t7.example.com"] },
        ],
      },
      sip: {
        room_prefix: "sip-",
        provision: false,
        set_room_owner: false,
        // Matched and kept, and never sent: what sending costs is measured elsewhere.
        hooks: [{ host: "acks.example.com", url: "https://127.0.0.1:1/", delivery: { events: ["egress_started"] } }],
      },
    },
  });
}

type Operation = { readonly name: string; readonly run: (subject: Subject, round: number) => Promise<TableAnswer> };

function operations(hooks: number): readonly Operation[] {
  let before = 0;
  return [
    { name: "GET", run: (subject) => subject.ask("GET", "/sip/hooks") },
    { name: "GET as a tenant", run: (subject) => subject.ask("GET", "/sip/hooks", undefined, TENANT) },
    {
      name: `POST ${CHANGED} (half of them new)`,
      run: async (subject, round) => {
        before = await subject.version();
        return subject.ask("POST", "/sip/hooks", { hooks: entries(hooks - CHANGED / 2, CHANGED, round + 2) });
      },
    },
    {
      name: `rollback of ${CHANGED}`,
      run: (subject) => subject.ask("POST", "/sip/hooks/rollback", { version: before }),
    },
    { name: `pause ${CHANGED}`, run: (subject) => subject.ask("POST", "/sip/hooks/pause", hostsOf(0, CHANGED)) },
    { name: `resume ${CHANGED}`, run: (subject) => subject.ask("POST", "/sip/hooks/resume", hostsOf(0, CHANGED)) },
    { name: `DELETE ${CHANGED}`, run: (subject) => subject.ask("DELETE", "/sip/hooks", hostsOf(CHANGED, CHANGED)) },
    {
      name: `POST ${CHANGED} as before`,
      run: (subject) => subject.ask("POST", "/sip/hooks", { hooks: entries(CHANGED, CHANGED) }),
    },
    {
      name: "compare the newest two",
      run: async (subject) => {
        const version = await subject.version();
        return subject.ask("GET", `/sip/hooks/versions/${version - 1}/compare/${version}`);
      },
    },
    {
      name: "compare the empty table with the newest",
      run: async (subject) => subject.ask("GET", `/sip/hooks/versions/0/compare/${await subject.version()}`),
    },
    {
      name: "POST 10000 that are there",
      run: (subject, round) => subject.ask("POST", "/sip/hooks", { hooks: entries(0, 10_000, round + 2) }),
    },
    { name: "list versions", run: (subject) => subject.ask("GET", "/sip/hooks/versions?limit=50") },
  ];
}

/** What one run of an operation gave. */
type Sample = {
  readonly answer: TableAnswer;
  readonly acks: readonly number[];
  readonly stall: number;
  readonly megabytes: number;
};

async function runOnce(subject: Subject, { name, run }: Operation, round: number): Promise<Sample> {
  const webhooks = sendWebhooks(subject.server.url, "acks.example.com", ACK_EVERY_MS);
  await Bun.sleep(AFTERWARDS_MS);
  await subject.longestStall();
  await subject.forgetPeak();
  const began = performance.now();
  const answer = await run(subject, round);
  await Bun.sleep(AFTERWARDS_MS);
  const ended = performance.now();
  const stall = await subject.longestStall();
  const megabytes = await subject.megabytes("VmHWM");
  await webhooks.stop();
  if (answer.status !== 200) throw new Error(`${name}: answered ${answer.status}: ${answer.text.slice(0, 300)}`);
  const acks = webhooks.acknowledged.filter(({ at }) => at >= began && at < ended).map(({ ms }) => ms);
  return { answer, acks, stall, megabytes };
}

function summarise(name: string, samples: readonly Sample[]): OperationCost {
  const acks = samples.flatMap((sample) => sample.acks);
  return {
    name,
    firstByte: median(samples.map(({ answer }) => answer.firstByte)),
    lastByte: median(samples.map(({ answer }) => answer.lastByte)),
    answerBytes: samples.at(-1)?.answer.bytes ?? 0,
    acknowledged: acks.length,
    ackP50: median(acks),
    ackP99: percentile(acks, 0.99),
    ackMax: Math.max(...acks),
    longestStall: Math.max(...samples.map(({ stall }) => stall)),
    peakMegabytes: Math.max(...samples.map(({ megabytes }) => megabytes)),
  };
}

async function measureStart(subject: Subject, rounds: number): Promise<{ ms: number; megabytes: number }> {
  const times: number[] = [];
  const sizes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    times.push(await subject.startAgain());
    sizes.push(await subject.megabytes("VmRSS"));
  }
  return { ms: median(times), megabytes: median(sizes) };
}

/** Measures a real server process; takes some minutes. */
export async function measureHookTable({ hooks = 100_000, rounds = 3 }: HookTableOptions = {}): Promise<HookTableCost> {
  const subject = await Subject.start();
  try {
    const empty = await measureStart(subject, rounds);
    for (let i = 0; i < hooks; i += SEED_AT_A_TIME) {
      const seeded = await subject.ask("POST", "/sip/hooks", {
        hooks: entries(i, Math.min(SEED_AT_A_TIME, hooks - i)),
      });
      if (seeded.status !== 200) throw new Error(`the table was not taken: ${seeded.status} ${seeded.text}`);
    }
    const full = await measureStart(subject, rounds);
    const idle: Operation = {
      name: "nothing",
      run: async () => {
        await Bun.sleep(1_000);
        return { status: 200, firstByte: 0, lastByte: 0, bytes: 0, text: "" };
      },
    };
    const measured = [idle, ...operations(hooks)].map((operation) => ({ operation, samples: [] as Sample[] }));
    for (let round = 0; round < rounds; round++) {
      for (const { operation, samples } of measured) samples.push(await runOnce(subject, operation, round));
    }
    return {
      hooks,
      operations: measured.map(({ operation, samples }) => summarise(operation.name, samples)),
      start: { empty: empty.ms, full: full.ms },
      memory: { empty: empty.megabytes, full: full.megabytes },
    };
  } finally {
    await subject.end();
  }
}

const COLUMNS: readonly [string, (cost: OperationCost) => number][] = [
  ["first", (cost) => cost.firstByte],
  ["last", (cost) => cost.lastByte],
  ["ack p50", (cost) => cost.ackP50],
  ["ack p99", (cost) => cost.ackP99],
  ["ack max", (cost) => cost.ackMax],
  ["stall", (cost) => cost.longestStall],
  ["MB sent", (cost) => cost.answerBytes / 1e6],
  ["MB used", (cost) => cost.peakMegabytes],
];

function table({ operations: costs, start, memory, hooks }: HookTableCost): string {
  const line = (name: string, cells: readonly string[]) =>
    [name.padEnd(40), ...cells.map((cell) => cell.padStart(8))].join(" ");
  return [
    `${hooks} hooks; times in ms`,
    line(
      "",
      COLUMNS.map(([head]) => head),
    ),
    ...costs.map((cost) =>
      line(
        cost.name,
        COLUMNS.map(([, value]) => value(cost).toFixed(1)),
      ),
    ),
    `start: ${start.empty.toFixed(0)} ms empty, ${start.full.toFixed(0)} ms with the table`,
    `memory: ${memory.empty.toFixed(0)} MB empty, ${memory.full.toFixed(0)} MB with the table`,
  ].join("\n");
}

if (import.meta.main) {
  const cost = await measureHookTable({
    hooks: Number(process.argv[2] ?? 100_000),
    rounds: Number(process.argv[3] ?? 3),
  });
  process.stdout.write(`${table(cost)}\n${JSON.stringify(cost)}\n`);
}
