/**
 * A Postgres of its own for one run of tests, in a temporary directory. It is gone when the process that started this one is,
 * however that ended, because then this one's standard input ends; and when this one is killed, by its watcher.
 *
 * Writes the server's URL as its first line. Told `kill`, it kills Postgres, and told `start` it starts it again; both are
 * answered with the same word. With `POSTGRES_CERTIFICATE` and `POSTGRES_KEY` (PEM) it offers TLS.
 */
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { chmod, chown, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQL } from "bun";
import { embeddedPostgres } from "./embedded-postgres";

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

const { POSTGRES_CERTIFICATE: certificate, POSTGRES_KEY: key } = process.env;
if (certificate !== undefined) FLAGS.push("ssl=on");
const parent = await mkdtemp(join(tmpdir(), "sayna-sip-postgres-"));
// Run as root, Postgres is started as another user, who has to get there.
await chmod(parent, 0o711);
const EmbeddedPostgres = await embeddedPostgres(parent);
const port = await freePort();
const url = `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`;
const said: string[] = [];
const server = () =>
  new EmbeddedPostgres({
    databaseDir: join(parent, "data"),
    port,
    user: "postgres",
    password: PASSWORD,
    authMethod: "scram-sha-256",
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--no-sync"],
    postgresFlags: ["-h", "127.0.0.1", "-k", "", ...FLAGS.flatMap((flag) => ["-c", flag])],
    onLog: (line) => said.push(line),
    onError: (line) => said.push(String(line)),
  });
let running: ReturnType<typeof server> | undefined = server();

async function end(code: number): Promise<never> {
  await running?.stop().catch(() => {});
  await rm(parent, { recursive: true, force: true });
  process.exit(code);
}

/** Ends Postgres and removes its files when the pipe from here ends: also after a `kill -9` of this process. */
function watch(): void {
  const script = `cat > /dev/null
    pid=$(head -n 1 "$1/data/postmaster.pid") && kill -QUIT "$pid"
    while kill -0 "$pid"; do sleep 0.1; done
    rm -rf "$1"`;
  spawn("sh", ["-c", script, "sh", parent], { stdio: ["pipe", "ignore", "ignore"], detached: true }).unref();
}

/** Under the names that Postgres looks for, and as its user's own, or it refuses them. */
async function writeCertificate(): Promise<void> {
  const { uid, gid } = await stat(join(parent, "data"));
  for (const [name, pem = ""] of [
    ["server.crt", certificate],
    ["server.key", key],
  ] as const) {
    const file = join(parent, "data", name);
    await writeFile(file, pem, { mode: 0o600 });
    await chown(file, uid, gid);
  }
}

/** With the processes of its connections: left alone, one that is busy answers what it was asked before it notices. */
async function kill(): Promise<void> {
  const sql = new SQL({ url, max: 1 });
  const connections: { pid: number }[] = await sql`select pid from pg_stat_activity where pid <> pg_backend_pid()`;
  const [pid = ""] = (await readFile(join(parent, "data", "postmaster.pid"), "utf8")).split("\n");
  process.kill(Number(pid), "SIGKILL");
  for (const connection of connections) {
    try {
      process.kill(connection.pid, "SIGKILL");
    } catch {
      // It has ended meanwhile, as it was to.
    }
  }
  // Its end has been seen, or `stop` would wait for it.
  running = undefined;
  await sql.close().catch(() => {});
}

/** What was killed leaves its children for a moment, beside which no other one starts. */
async function startAgain(): Promise<void> {
  for (let left = 100; ; left--) {
    const next = server();
    const failed = await next.start().then(
      () => false,
      () => true,
    );
    if (!failed) {
      running = next;
      return;
    }
    if (left === 0) throw new Error("it does not start again");
    await Bun.sleep(100);
  }
}

async function giveUp(error: unknown): Promise<never> {
  console.error(`Postgres could not be started: ${String(error)}\n${said.join("")}`);
  return end(1);
}

process.on("SIGTERM", () => void end(0));
process.on("SIGINT", () => void end(0));
// A program that cannot be run is an event that embedded-postgres does not listen to: it would wait for its end.
process.on("uncaughtException", (error) => void giveUp(error));
try {
  await running.initialise();
  if (certificate !== undefined) await writeCertificate();
  await running.start();
  watch();
} catch (error) {
  await giveUp(error);
}
console.log(url);
for await (const line of console) {
  if (line === "kill") await kill();
  if (line === "start") await startAgain();
  console.log(line);
}
await end(0);
