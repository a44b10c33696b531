/**
 * How many events a second one, two and three instances on one Postgres acknowledge and deliver, and what that costs the
 * server. The database has 100,000 events already. On the server at `BENCH_POSTGRES_URL`, or on one of its own.
 *
 * `bun bench/postgres/main.ts [seconds] [calls at a time, in all] [ms at most between a call's events] [tenants]`
 */
import { SQL } from "bun";
import { startDurableServer } from "./durable-server";
import { fillStatements } from "./fill-statements";
import type { InstanceReport } from "./instance";

const [seconds = "10", callsAtOnce = "192", pauseMs = "0", tenants = "50"] = process.argv.slice(2);
const given = process.env.BENCH_POSTGRES_URL;
const server =
  given === undefined ? await startDurableServer() : { url: given, cpuSeconds: () => 0, stop: async () => {} };
const say = (line: string) => process.stdout.write(`${line}\n`);

say(
  "instances | acknowledged/s | delivered/s | p50 ms | p99 ms | Postgres CPU/event | instance CPU/event | WAL/event | refused",
);
for (const instances of [1, 2, 3]) say(await measure(instances));
await server.stop();

async function measure(instances: number): Promise<string> {
  const admin = new SQL({ url: server.url, max: 1 });
  const name = `sayna_sip_bench_${process.pid}_${instances}`;
  await admin.unsafe(`create database ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  const workers = Array.from({ length: instances }, (_, i) => new Worker(url.href, i, instances));
  for (const worker of workers) await worker.line();
  await fill(url.href);
  const before = { cpu: server.cpuSeconds(), wal: await walBytes(admin) };
  for (const worker of workers) worker.go();
  const reports = await Promise.all(workers.map(async (worker) => JSON.parse(await worker.line()) as InstanceReport));
  const cpu = server.cpuSeconds() - before.cpu;
  const wal = (await walBytes(admin)) - before.wal;
  await Promise.all(workers.map((worker) => worker.end()));
  await admin.unsafe(`drop database ${name} with (force)`);
  await admin.close();
  const sum = (value: (report: InstanceReport) => number) => reports.reduce((all, report) => all + value(report), 0);
  const events = sum(({ acknowledged }) => acknowledged);
  return [
    instances,
    Math.round(events / Number(seconds)),
    Math.round(sum(({ delivered }) => delivered) / Number(seconds)),
    Math.max(...reports.map(({ p50 }) => p50)).toFixed(1),
    Math.max(...reports.map(({ p99 }) => p99)).toFixed(1),
    `${((cpu / events) * 1000).toFixed(2)} ms`,
    `${((sum(({ cpuSeconds }) => cpuSeconds) / events) * 1000).toFixed(2)} ms`,
    `${Math.round(wal / events)} B`,
    sum(({ refused }) => refused),
  ].join(" | ");
}

async function fill(url: string): Promise<void> {
  const sql = new SQL({ url, max: 1, connection: { search_path: "sayna_sip" } });
  await sql.unsafe(fillStatements({ calls: 20_000, from: Date.now() - 86_400_000, everyMs: 4_000 }));
  // As autovacuum does within a minute.
  await sql.unsafe("vacuum analyze");
  await sql.close();
}

async function walBytes(sql: SQL): Promise<number> {
  const [row] = await sql<{ bytes: number }[]>`select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as bytes`;
  return row?.bytes ?? 0;
}

/** A process that runs one instance. */
class Worker {
  readonly #process;
  readonly #lines: AsyncIterator<string>;

  constructor(url: string, i: number, instances: number) {
    const script = new URL("instance.ts", import.meta.url).pathname;
    const calls = String(Math.ceil(Number(callsAtOnce) / instances));
    this.#process = Bun.spawn([process.execPath, script, url, `i${i}`, tenants, calls, pauseMs, seconds], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    this.#lines = linesOf(this.#process.stdout);
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`an instance ended with ${await this.#process.exited}`);
    return value;
  }

  go(): void {
    void this.#process.stdin.write("go\n");
    void this.#process.stdin.flush();
  }

  async end(): Promise<void> {
    await this.#process.stdin.end();
    await this.#process.exited;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  return undefined;
}
