import { createInterface } from "node:readline";
import { Readable } from "node:stream";

/** A line of the server's log. */
export type LogLine = { readonly msg: string; readonly [field: string]: unknown };

export type ServerProcessOptions = {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Not the user's directory: Bun would read its `.env`. */
  readonly cwd: string;
  readonly onLine: (line: LogLine) => void;
  /** It has ended without having been stopped. */
  readonly onCrash: (message: string) => void;
};

const STOP_GRACE_MS = 3_000;
const LINES_KEPT = 5;

/** The real server, as a process of its own. */
export class ServerProcess {
  /** Resolves to the exit code when the process has ended and its output has been read. */
  readonly exited: Promise<number>;
  /** Where it listens; undefined until it does. */
  url: string | undefined;
  readonly #process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #onLine: (line: LogLine) => void;
  readonly #lastLines: string[] = [];
  #stopping = false;

  constructor({ command, env, cwd, onLine, onCrash }: ServerProcessOptions) {
    this.#onLine = onLine;
    this.#process = Bun.spawn([...command], { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    const output = Promise.all([this.#read(this.#process.stdout), this.#read(this.#process.stderr)]);
    this.exited = this.#process.exited.then(async (code) => {
      await output;
      if (!this.#stopping) onCrash(`The server has ended with exit code ${code}.${this.describeOutput()}`);
      return code;
    });
  }

  /** The last lines that it wrote, for an error message. */
  describeOutput(): string {
    return this.#lastLines.length === 0 ? "" : ` Its last lines:\n${this.#lastLines.join("\n")}`;
  }

  /** Whether it says that calls can be taken. */
  async isReady(signal: AbortSignal): Promise<boolean> {
    if (this.url === undefined) return false;
    const response = await fetch(`${this.url}/health/ready`, { proxy: false, signal }).catch(() => undefined);
    await response?.arrayBuffer();
    return response?.status === 200;
  }

  /** Ends it by SIGTERM, and by force when it takes too long; resolves to its exit code. */
  async stop(): Promise<number> {
    this.#stopping = true;
    this.#process.kill("SIGTERM");
    const force = setTimeout(() => this.#process.kill("SIGKILL"), STOP_GRACE_MS);
    const code = await this.exited;
    clearTimeout(force);
    return code;
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of createInterface({ input: Readable.fromWeb(stream) })) {
      this.#lastLines.push(text);
      if (this.#lastLines.length > LINES_KEPT) this.#lastLines.shift();
      const line = parseLine(text);
      if (line === undefined) continue;
      if (line.msg === "Listening") this.url = String(line["url"]).replace(/\/$/, "");
      this.#onLine(line);
    }
  }
}

function parseLine(text: string): LogLine | undefined {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    // Not every line is a log line: what is wrong with a configuration is said in plain text.
    return undefined;
  }
}
