import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { endsWithUs, goesWithUs } from "./leftovers";
import { RECORDED_KEY } from "../../test/support/recordings";

const ROOT = new URL("../..", import.meta.url).pathname;

/** A server under load. */
export type Target = {
  readonly port: number;
  readonly pid: number;
  /** Milliseconds from its start to its first answer. */
  readonly startedIn: number;
  /** Where its data are; empty for one without. */
  readonly dataDir: string;
  /** Its resident memory in bytes. */
  memory(): Promise<number>;
  /** The most that it ever was. */
  mostMemory(): Promise<number>;
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
};

export type Hook = { readonly host: string; readonly url: string; readonly authId?: string };

/** Data are on the disk of the working directory: /tmp may be in memory, where a sync costs nothing. */
const DATA_ROOT = join(ROOT, "data");

/** A reference that keeps its data in a directory of its own. */
async function startReference(program: string): Promise<Target> {
  const dataDir = await makeDataDir();
  const port = freePort();
  return start([join(ROOT, program)], { PORT: String(port), DATA_DIR: dataDir }, port, dataDir);
}

export const startLimit = () => startReference("bench/yardsticks/limit.ts");
export const startSameRows = () => startReference("bench/support/same-rows.ts");

export async function startNaive(hooks: string, caFile: string): Promise<Target> {
  const port = freePort();
  const environment = { PORT: String(port), HOOKS: hooks, NODE_EXTRA_CA_CERTS: caFile };
  return start([join(ROOT, "bench/yardsticks/naive.ts")], environment, port, "");
}

export type ServiceOptions = {
  readonly hooks: readonly Hook[];
  readonly caFile?: string;
  /** Data of an earlier run; they stay when it is stopped. */
  readonly dataDir?: string;
  /** Members of the configuration beside the usual ones. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly bunOptions?: readonly string[];
};

/** As in the Containerfile and the systemd unit. */
const RUNTIME = { BUN_JSC_forceRAMSize: "1073741824" };

/** The service as it is run, with a hook secret; its log goes to a file, as a service manager's would. */
export async function startService(options: ServiceOptions): Promise<Target> {
  const dataDir = options.dataDir ?? (await makeDataDir());
  const port = freePort();
  const file = join(dataDir, "config.yaml");
  const hooks = options.hooks.map(({ host, url, authId }) => ({
    host,
    url,
    ...(authId === undefined ? {} : { auth_id: authId }),
  }));
  const config = {
    server: { port },
    data_dir: dataDir,
    livekit: { api_key: RECORDED_KEY.apiKey, api_secret: RECORDED_KEY.apiSecret },
    sip: {
      room_prefix: "sip-",
      provision: false,
      set_room_owner: false,
      hook_secret: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
      hooks,
    },
    ...options.config,
  };
  await writeFile(file, stringify(config));
  const environment = {
    ...RUNTIME,
    ...(options.caFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: options.caFile }),
    ...options.environment,
  };
  const command = [...(options.bunOptions ?? []), join(ROOT, "src/main.ts"), "serve", "--config", file];
  return start(command, environment, port, dataDir, options.dataDir !== undefined);
}

export async function makeDataDir(): Promise<string> {
  await mkdir(DATA_ROOT, { recursive: true });
  return goesWithUs(await mkdtemp(join(DATA_ROOT, "bench-")));
}

/** A port that nothing listens on now. */
function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

async function start(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
  port: number,
  dataDir: string,
  keepData = false,
): Promise<Target> {
  const began = performance.now();
  const log = dataDir === "" ? "ignore" : Bun.file(join(dataDir, "log"));
  const server = endsWithUs(
    Bun.spawn([process.execPath, ...command], {
      cwd: ROOT,
      stdin: "ignore",
      stdout: log,
      stderr: "inherit",
      env: { PATH: process.env["PATH"] ?? "", ...environment },
    }),
  );
  const startedIn = await firstAnswer(port, began);
  return {
    port,
    pid: server.pid,
    startedIn,
    dataDir,
    memory: () => readMemory(server.pid, "VmRSS"),
    mostMemory: () => readMemory(server.pid, "VmHWM"),
    async stop(signal = "SIGTERM") {
      server.kill(signal);
      await server.exited;
      if (dataDir !== "" && !keepData) await rm(dataDir, { recursive: true });
    },
  };
}

/** Of Linux, proc(5). */
async function readMemory(pid: number, which: "VmRSS" | "VmHWM"): Promise<number> {
  const status = await Bun.file(`/proc/${pid}/status`).text();
  return Number(new RegExp(`${which}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024;
}

const START_DEADLINE_MS = 60_000;

/** Ready as an operator's load balancer sees it; the yardsticks know no such route, and answer at all. */
async function firstAnswer(port: number, began: number): Promise<number> {
  while (performance.now() - began < START_DEADLINE_MS) {
    const response = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
    await response?.arrayBuffer();
    if (response !== undefined && response.status !== 503) return performance.now() - began;
    await Bun.sleep(2);
  }
  throw new Error("the server did not answer");
}
