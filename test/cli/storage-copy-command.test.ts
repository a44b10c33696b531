import { SQL } from "bun";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { emptyDatabase } from "../support/postgres";
import { filledSqlite } from "../plugins/storage/copy/filled-sqlite";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;

let filled: Awaited<ReturnType<typeof filledSqlite>>;
let database: Awaited<ReturnType<typeof emptyDatabase>>;

beforeAll(async () => {
  filled = await filledSqlite(400);
  database = await emptyDatabase();
});

afterAll(async () => {
  await filled.remove();
  await database.remove();
});

function start(args: readonly string[], env: Record<string, string> = {}) {
  const { STORAGE_URL: _, ...inherited } = process.env;
  return Bun.spawn([process.execPath, MAIN, "storage", "copy", ...args], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: { ...inherited, ...env },
  });
}

async function run(args: readonly string[], env?: Record<string, string>) {
  const process = start(args, env);
  const [stdout, stderr] = await Promise.all([process.stdout.text(), process.stderr.text()]);
  return { exitCode: await process.exited, stdout, stderr };
}

/** Kills it as soon as it has said that a table is copied. */
async function killAfter(table: string): Promise<string> {
  const process = start(["--from", filled.dataDir, "--to", database.url]);
  const decoder = new TextDecoder();
  let said = "";
  for await (const chunk of process.stderr) {
    said += decoder.decode(chunk, { stream: true });
    if (said.includes(`copied ${table}:`)) process.kill("SIGKILL");
  }
  expect(await process.exited).toBe(137);
  return said;
}

test("a copy that is killed again and again goes on each time, and brings everything once", async () => {
  expect(await killAfter("calls")).toStartWith(`Copying ${filled.dataDir}`);
  expect(await killAfter("participants")).toStartWith("Going on with the copy");
  expect(await killAfter("events")).not.toContain("copied participants");
  const { exitCode, stdout, stderr } = await run(["--from", filled.dataDir, "--to", database.url]);
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining("Going on with the copy"),
  });
  expect(stderr).not.toContain("copied calls");
  expect(stdout).toContain("is copied to");
  const sql = new SQL({ url: database.url, max: 1 });
  const [row] = await sql`select (select count(*)::integer from sayna_sip.calls) as calls,
    (select count(*)::integer from sayna_sip.lanes where due is not null) as waiting,
    (select count(*)::integer from sayna_sip_jobs.job) as jobs`;
  await sql.close();
  // 400, one that was done and one that found no hook; each of the 400 to two hooks.
  expect(row?.calls).toBe(402);
  expect(row?.waiting).toBeGreaterThan(780);
  expect(row?.jobs).toBe(row?.waiting);

  const again = await run(["--from", filled.dataDir, "--json"], { STORAGE_URL: database.url });
  expect(again.exitCode).toBe(0);
  const result = JSON.parse(again.stdout) as { to: string; tables: unknown[] };
  expect(result).toMatchObject({ alreadyDone: true, from: expect.stringContaining("sayna-sip.db") });
  expect(result.tables).toContainEqual({
    table: "calls",
    rows: 402,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(again.stdout + again.stderr + stdout + stderr).not.toContain(new URL(database.url).password);
}, 240_000);

describe("used wrongly it ends with 2 and says how it is used", () => {
  test.each<[string[], string]>([
    [[], "required option '--from <path>' not specified"],
    [["--from", "data"], "--to is missing"],
    [["--from", "data", "--to", "mysql://localhost/x"], "--to is no postgres:// URL"],
    [["--from", "data", "--too", "x"], "unknown option '--too'"],
  ])("%j", async (args, message) => {
    const { exitCode, stdout, stderr } = await run(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).toContain("sayna-sip storage copy --help");
  });
});

describe("what cannot be copied ends with 1 and says why", () => {
  test("no SQLite there", async () => {
    const { exitCode, stdout, stderr } = await run(["--from", "/dev/null/nowhere", "--to", database.url, "--json"]);
    expect(exitCode).toBe(1);
    expect(stderr).toStartWith("error: There is no /dev/null/nowhere. --from is the data directory");
    expect(JSON.parse(stdout)).toEqual({
      error: { code: "failed", message: expect.stringContaining("There is no /dev/null/nowhere") },
    });
  });

  test("no Postgres there, without its password", async () => {
    const { exitCode, stderr } = await run(["--from", filled.dataDir, "--to", "postgres://me:hidden@127.0.0.1:1/x"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("postgres://me@127.0.0.1:1/x");
    expect(stderr).not.toContain("hidden");
  });
});
