import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";

const ROOT = new URL("../..", import.meta.url).pathname;
const START_TIMEOUT_MS = 60_000;
const NOWHERE = "http://127.0.0.1:1";

export type LogFields = Readonly<Record<string, unknown>> & { readonly level: string; readonly msg: string };

export type ServerOptions = {
  /** The configuration file's content; `server.port` is 0 and `data_dir` a directory of its own unless they are set. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly caFile?: string;
  readonly dataDir: string;
  /** The command line up to its own arguments; by default Bun and the source. */
  readonly program?: readonly string[];
  /** By default the promise waits for the port. */
  readonly waitForPort?: boolean;
  /** Beside `serve --config FILE`. */
  readonly args?: readonly string[];
};

/** The real server, run as an operator runs it. */
export class ServerProcess {
  readonly lines: LogFields[] = [];
  readonly raw: string[] = [];
  readonly #process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #waiting = new Set<() => void>();
  readonly #output: Promise<unknown>;

  private constructor(
    readonly configFile: string,
    process: Bun.Subprocess<"ignore", "pipe", "pipe">,
  ) {
    this.#process = process;
    this.#output = Promise.all([this.#read(process.stdout), this.#read(process.stderr)]);
  }

  static async start(options: ServerOptions): Promise<ServerProcess> {
    const file = join(options.dataDir, `config-${process.hrtime.bigint()}.yaml`);
    await writeFile(file, configText(options));
    const started = new ServerProcess(
      file,
      Bun.spawn(
        [...(options.program ?? [process.execPath, "src/main.ts"]), "serve", "--config", file, ...(options.args ?? [])],
        {
          cwd: ROOT,
          stdin: "ignore",
          stdout: "pipe",
          stderr: "pipe",
          env: cleanEnvironment(options),
        },
      ),
    );
    if (options.waitForPort !== false) await started.waitUntil(() => started.#listeningAt !== "", "its URL");
    return started;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /**
   * Where it listens; empty until it does, and where nobody does when it has ended: its port may be given to a server of another
   * test, which would take what is sent here again and again.
   */
  get url(): string {
    return this.#process.exitCode === null && this.#process.signalCode === null ? this.#listeningAt : NOWHERE;
  }

  /** Also when it has ended. */
  get port(): number {
    return Number(new URL(this.#listeningAt).port);
  }

  get #listeningAt(): string {
    const url = this.lines.find((line) => line.msg === "Listening")?.url;
    return typeof url === "string" ? url.replace(/\/$/, "") : "";
  }

  text(): string {
    return this.raw.join("\n");
  }

  /** Waits until a line whose message begins so has been written. */
  async waitForLine(message: string, timeoutMs = START_TIMEOUT_MS): Promise<LogFields> {
    const found = () => this.lines.find((line) => line.msg.startsWith(message));
    await this.waitUntil(() => found() !== undefined, `a line "${message}"`, timeoutMs);
    const line = found();
    if (line === undefined) throw new Error("unreachable");
    return line;
  }

  /** Waits until the output so far satisfies `condition`. */
  async waitUntil(condition: () => boolean, what: string, timeoutMs = START_TIMEOUT_MS): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!condition()) {
      const left = deadline - Date.now();
      if (left <= 0 || this.#process.exitCode !== null) {
        throw new Error(
          `The server did not write ${what}; exit code ${this.#process.exitCode}. It wrote:\n${this.text()}`,
        );
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, Math.min(left, 100));
        const waiting = this.#waiting;
        function done(): void {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        }
        waiting.add(done);
      });
    }
  }

  /** Waits until `/health/ready` answers 200. */
  async waitUntilReady(timeoutMs = START_TIMEOUT_MS): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const response = await fetch(`${this.url}/health/ready`);
      if (response.status === 200) return;
      if (Date.now() > deadline) throw new Error(`Not ready: ${await response.text()}`);
      await Bun.sleep(20);
    }
  }

  /** Ends the process by SIGTERM; resolves to its exit code when all its output has been read. */
  async stop(): Promise<number> {
    this.#process.kill("SIGTERM");
    return this.exited();
  }

  async killHard(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.exited();
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async exited(): Promise<number> {
    const code = await this.#process.exited;
    await this.#output;
    return code;
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) this.#add(line);
    }
    if (rest !== "") this.#add(rest);
  }

  #add(line: string): void {
    this.raw.push(line);
    try {
      this.lines.push(JSON.parse(line) as LogFields);
    } catch {
      // Not every line is a log line: a configuration's errors are plain text.
    }
    for (const wake of this.#waiting) wake();
  }
}

/** The configuration file's content. */
export function configText({ config, dataDir }: Pick<ServerOptions, "config" | "dataDir">): string {
  const { server, ...rest } = config ?? {};
  return stringify({
    server: { port: 0, ...(server as object | undefined) },
    data_dir: join(dataDir, "data"),
    ...rest,
  });
}

/** A directory for one test, and what removes it. */
export async function temporaryDirectory(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "sayna-sip-test-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** What the service reads is not inherited from whoever runs the tests. */
function cleanEnvironment({ env, caFile }: ServerOptions): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    ([name, value]) =>
      value !== undefined &&
      !/^(SIP_|AUTH_|LIVEKIT_|MANAGEMENT_|OTEL_|HOST$|PORT$|DATA_DIR$|STORAGE_URL$|LOG_LEVEL$|LOG_FORMAT$|NODE_EXTRA_CA_CERTS$|.*_proxy$)/i.test(
        name,
      ),
  ) as [string, string][];
  return { ...Object.fromEntries(inherited), ...(caFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: caFile }), ...env };
}
