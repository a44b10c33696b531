import { writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";

export type RunningReceiver = {
  readonly url: string;
  /** What it wrote about the events it took. */
  readonly lines: readonly string[];
  waitForLines(count: number): Promise<void>;
  /** Sends a request that ends in the middle of its body. */
  breakOff(): Promise<void>;
  /** Resolves to the status. */
  post(headers: Readonly<Record<string, string>>, body: Buffer): Promise<number>;
  stop(): Promise<void>;
};

export type ReceiverOptions = {
  /** The directory with the receiver. */
  readonly path: string;
  /** What runs it there; `bun receiver.ts` without it. */
  readonly command?: readonly string[];
  readonly cert: string;
  readonly key: string;
  /** The certificate of the authority that signed `cert`. */
  readonly ca: string;
  /** What it verifies with: the shared secret, or what `variables` has. */
  readonly secret?: string;
  readonly variables?: Readonly<Record<string, string>>;
};

/** Runs a receiver as its reader would, on a free port. */
export async function startReceiver(options: ReceiverOptions): Promise<RunningReceiver> {
  const { path, command = [process.execPath, "receiver.ts"], cert, key, ca, secret, variables } = options;
  await writeFile(join(path, "cert.pem"), cert);
  await writeFile(join(path, "key.pem"), key);
  const given = secret === undefined ? variables : { HOOK_SECRET: secret, ...variables };
  const child = Bun.spawn([...command], {
    cwd: path,
    env: { ...process.env, ...given, TLS_CERT: "cert.pem", TLS_KEY: "key.pem", PORT: "0" },
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines: string[] = [];
  let output = "";
  let wake = () => {};
  void (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      output += decoder.decode(chunk, { stream: true });
      lines.splice(0, lines.length, ...output.split("\n").filter((line) => line.includes(" of the room ")));
      wake();
    }
  })();

  async function waitUntil(condition: () => boolean): Promise<void> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill("SIGKILL");
      wake();
    }, 60_000);
    while (!condition()) {
      if (isLate || child.exitCode !== null) throw new Error(`the receiver wrote only:\n${output}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    clearTimeout(timer);
  }

  const portOf = () => Number(/port:? (\d+)/.exec(output)?.[1] ?? 0);
  await waitUntil(() => portOf() > 0);
  const url = `https://localhost:${portOf()}/livekit`;
  return {
    url,
    lines,
    waitForLines: (count) => waitUntil(() => lines.length >= count),
    breakOff: () =>
      new Promise((resolve) => {
        const sent = request(url, { method: "POST", ca, headers: { "content-length": "100" } });
        sent.on("error", () => resolve());
        sent.write("half of", () => setTimeout(() => sent.destroy(new Error("broken off")), 50));
      }),
    post: (headers, body) =>
      new Promise((resolve, reject) => {
        const sent = request(url, { method: "POST", ca, headers: { ...headers, Host: "localhost" } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        });
        sent.on("error", reject);
        sent.end(body);
      }),
    async stop() {
      child.kill();
      await child.exited;
    },
  };
}
