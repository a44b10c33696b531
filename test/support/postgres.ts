import { readFileSync } from "node:fs";
import { SQL } from "bun";
import type { Certificate } from "./test-ca";

let server: Promise<string> | undefined;
let databases = 0;

/**
 * A new, empty database: its URL, and what removes it. On the server at `TEST_POSTGRES_URL`, whose user must be allowed to
 * make databases, or else on one that is started for this run of tests and ends with it; or on another one, `on`.
 */
export async function emptyDatabase(on?: string): Promise<{ url: string; remove: () => Promise<void> }> {
  const admin = on ?? (await serverUrl());
  const name = `sayna_sip_test_${process.pid}_${++databases}`;
  await run(admin, `create database ${name}`);
  const url = new URL(admin);
  url.pathname = `/${name}`;
  return { url: url.href, remove: () => run(admin, `drop database if exists ${name} with (force)`) };
}

/** Runs statements on a connection of their own. */
export async function run(url: string, statements: string): Promise<void> {
  const sql = new SQL({ url, max: 1 });
  try {
    await sql.unsafe(statements);
  } finally {
    await sql.close();
  }
}

/** A server of its own, which may be killed. */
export type KillableServer = {
  readonly url: string;
  /** As `kill -9` does. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
};

/** @param certificate PEM; with it the server offers TLS. */
export async function killableServer(certificate?: Certificate): Promise<KillableServer> {
  const { child, line } = spawnServer(
    certificate === undefined ? {} : { POSTGRES_CERTIFICATE: certificate.cert, POSTGRES_KEY: certificate.key },
  );
  const url = await line();
  async function tell(word: "kill" | "start"): Promise<void> {
    await child.stdin.write(`${word}\n`);
    await child.stdin.flush();
    await line();
  }
  return {
    url,
    kill: () => tell("kill"),
    start: () => tell("start"),
    stop: async () => {
      await child.stdin.end();
      await child.exited;
    },
  };
}

function serverUrl(): Promise<string> {
  server ??=
    process.env.TEST_POSTGRES_URL === undefined ? startServer() : Promise.resolve(process.env.TEST_POSTGRES_URL);
  return server;
}

async function startServer(): Promise<string> {
  const { child, line } = spawnServer();
  // A test that times out takes the processes with it that were started during it.
  void child.exited.then(() => (server = undefined));
  return line();
}

function spawnServer(env: Record<string, string> = {}) {
  const program = new URL("postgres-server.ts", import.meta.url).pathname;
  const child = Bun.spawn([...asAnotherUser(), process.execPath, program], {
    env: { ...process.env, ...env },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  // It must not keep the tests from ending; when they have, its standard input ends, and so does it.
  child.unref();
  const decoder = new TextDecoder();
  const chunks = child.stdout[Symbol.asyncIterator]();
  let written = "";
  async function line(): Promise<string> {
    for (;;) {
      const end = written.indexOf("\n");
      if (end >= 0) {
        const first = written.slice(0, end);
        written = written.slice(end + 1);
        return first;
      }
      const chunk = await chunks.next();
      if (chunk.done === true)
        throw new Error(`no Postgres for the tests: its process ended with ${await child.exited}`);
      written += decoder.decode(chunk.value, { stream: true });
    }
  }
  return { child, line };
}

/**
 * Postgres refuses to run as root, and where root is the only user (in a container's namespace, see user_namespaces(7)) it
 * cannot be run as another one. There root is given another name.
 */
function asAnotherUser(): string[] {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return [];
  const isOnlyUser = /^\s*0\s+\d+\s+1\s*$/.test(readFileSync("/proc/self/uid_map", "utf8"));
  return isOnlyUser ? ["unshare", "--user", "--map-user=65534", "--map-group=65534"] : [];
}
