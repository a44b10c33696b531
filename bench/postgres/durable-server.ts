import { createServer } from "node:net";
import { readdirSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedPostgres } from "../../test/support/embedded-postgres";

/** A Postgres as it comes, which syncs what it commits; not that of the tests, which does not. */
export type DurableServer = {
  readonly url: string;
  /** Processor time that its processes have used, in seconds; Linux only, 0 elsewhere. */
  cpuSeconds(): number;
  stop(): Promise<void>;
};

const TICKS_PER_SECOND = 100;

export async function startDurableServer(): Promise<DurableServer> {
  const parent = await mkdtemp(join(tmpdir(), "sayna-sip-bench-"));
  // Run as root, Postgres is started as another user, who has to get there.
  await chmod(parent, 0o711);
  const EmbeddedPostgres = await embeddedPostgres(parent);
  const port = await freePort();
  const databaseDir = join(parent, "data");
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: "postgres",
    password: "bench",
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8"],
    postgresFlags: ["-h", "127.0.0.1", "-k", "", "-c", "max_connections=300"],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  const postmaster = Number((await readFile(join(databaseDir, "postmaster.pid"), "utf8")).split("\n")[0]);
  return {
    url: `postgres://postgres:bench@127.0.0.1:${port}/postgres`,
    cpuSeconds: () => cpuTicks(postmaster) / TICKS_PER_SECOND,
    async stop() {
      await server.stop();
      await rm(parent, { recursive: true, force: true });
    },
  };
}

/** Of the process, those of its children that have ended, and those that run; see proc_pid_stat(5). */
function cpuTicks(postmaster: number): number {
  if (process.platform !== "linux") return 0;
  let ticks = 0;
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const fields = readStat(entry);
    const [ppid = 0, utime = 0, stime = 0, cutime = 0, cstime = 0] = [1, 11, 12, 13, 14].map((i) => Number(fields[i]));
    if (Number(entry) === postmaster) ticks += utime + stime + cutime + cstime;
    else if (ppid === postmaster) ticks += utime + stime;
  }
  return ticks;
}

/** What follows the process's name, which may hold spaces. */
function readStat(pid: string): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}
