import { Database } from "bun:sqlite";
import { afterAll, beforeAll, beforeEach, describe, expect, test, setDefaultTimeout } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { runCommandLine } from "../support/run-command";
import { World } from "../support/world";
import { callWebhooks, hostOf } from "../torture/call-webhooks";

// Each runs processes, which a busy machine is slow to start; what a time-out kills includes the service of all.
setDefaultTimeout(240_000);

const TENANT = "tenant-a";

let world: World;
let dataDir: string;
let database: string;
/** Of one call, taken while the service ran; another call came after it. */
let backup: string;
let eventsInBackup = 0;
let eventsInAll = 0;

beforeAll(async () => {
  world = await World.start({ tenants: { a: [{ host: hostOf(TENANT) }] } });
  // Nobody listens where the hook leads to, so that everything stays pending.
  await world.tenant("a").stop();
  dataDir = join(world.directory, "data");
  database = join(dataDir, "sayna-sip.db");
  backup = join(world.directory, "backup.db");
});

afterAll(() => world.end());

const run = (args: readonly string[], env: Record<string, string> = {}) =>
  runCommandLine(args, { env: { DATA_DIR: dataDir, ...env } });

function eventsIn(file: string): number {
  const db = new Database(file, { readonly: true });
  try {
    return db.query<{ n: number }, []>("select count(*) as n from events").get()?.n ?? -1;
  } finally {
    db.close();
  }
}

async function takeCall(call: string): Promise<number> {
  const webhooks = callWebhooks(call, [TENANT]);
  for (const { body } of webhooks) await world.send(body);
  return webhooks.length;
}

describe("while the service runs", () => {
  test("a backup has what was committed until it began, and the service goes on", async () => {
    eventsInBackup = await takeCall("one");
    const { exitCode, stdout, stderr } = await run(["backup", backup]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toStartWith(`${backup}: ${statSync(backup).size} bytes, schema version `);
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    eventsInAll = eventsInBackup + (await takeCall("two"));
    expect(eventsIn(backup)).toBe(eventsInBackup);
  });

  test("a backup never replaces a file, and leaves none that is not whole", async () => {
    const there = await run(["backup", backup, "--json"]);
    expect(there.exitCode).toBe(1);
    expect(JSON.parse(there.stdout)).toEqual({
      error: { code: "failed", message: `${backup} is there already`, hint: "Name a new file, or remove that one." },
    });
    const nowhere = await run(["backup", join(world.directory, "none", "x.db")]);
    expect(nowhere).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("There is no directory") });
    expect(readdirSync(world.directory).filter((name) => name.endsWith(".partial"))).toEqual([]);
  });

  test("a restore is refused, and changes nothing", async () => {
    const before = readdirSync(dataDir).toSorted();
    expect(await run(["restore", backup])).toEqual({
      exitCode: 1,
      stdout: "",
      stderr:
        `error: The data directory ${dataDir} is in use by process ${world.server.pid}\n` +
        "Stop the service first; then restore, and start it again.\n",
    });
    expect(readdirSync(dataDir).toSorted()).toEqual(before);
  });
});

test("of a directory without a database a backup is refused", async () => {
  const other = join(world.directory, "other");
  expect(await run(["backup", join(world.directory, "b.db")], { DATA_DIR: other })).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: `error: There is no database in ${other}\nIs that the data directory (data_dir, DATA_DIR) of the service?\n`,
  });
});

test.each([
  ["backup", "Use pg_dump, "],
  ["restore", "Stop the service, and use pg_restore: "],
])("%s of Postgres names its own command, and no password", async (command, hint) => {
  const url = "postgres://u:planted-password@127.0.0.1:1/db";
  const { exitCode, stderr } = await run([command, backup], { STORAGE_URL: url });
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`which has commands of its own for that\n${hint}`);
  expect(stderr).not.toContain("planted-password");
});

describe("when the service is stopped", () => {
  let other: string;

  beforeAll(() => world.server.killHard());

  beforeEach(() => {
    other = join(world.directory, "other.db");
    rmSync(other, { force: true, recursive: true });
  });

  test.each([
    ["nothing", () => {}, "There is no file"],
    ["a directory", () => mkdirSync(other), "is no file"],
    ["an empty file", () => writeFileSync(other, ""), "is no backup: it is empty"],
    ["something else", () => writeFileSync(other, "x".repeat(4096)), "cannot be used: it is not an SQLite database"],
    ["a backup of a newer version", () => makeNewer(other), "has schema version 9999, and this program knows"],
    ["a damaged one", () => damage(other), "other.db "],
  ])("a restore refuses %s, and changes nothing", async (_, make, message) => {
    make();
    const { exitCode, stderr } = await run(["restore", other]);
    expect([exitCode, stderr.startsWith("error: ")]).toEqual([1, true]);
    expect(stderr).toContain(message);
    expect(eventsIn(database)).toBe(eventsInAll);
  });

  test("a restore brings back what was pending, which is then delivered; what was there is kept beside it", async () => {
    const { exitCode, stdout } = await run(["restore", backup, "--json"]);
    const answer = JSON.parse(stdout) as { readonly database: string; readonly before: string };
    expect([exitCode, answer.database]).toEqual([0, database]);
    expect(eventsIn(database)).toBe(eventsInBackup);
    expect(eventsIn(answer.before)).toBe(eventsInAll);
    await world.tenant("a").start();
    await world.startAgain();
    await world.tenant("a").waitFor(eventsInBackup, 15_000);
    expect(existsSync(backup)).toBe(true);
    await world.server.killHard();
  }, 240_000);

  test("what was put aside is put back with what it had committed into its WAL last", async () => {
    const aside = asideWithWal();
    expect(eventsIn(aside)).toBe(eventsInBackup);
    expect((await run(["restore", aside])).exitCode).toBe(0);
    expect(eventsIn(database)).toBe(eventsInBackup);
  });

  test("after a restore that ended between the database and its WAL, both are put aside under one name", async () => {
    const aside = asideWithWal();
    renameSync(`${aside}-wal`, `${database}-wal`);
    renameSync(database, `${database}.restoring`);
    const { exitCode, stdout } = await run(["restore", backup, "--json"]);
    expect({ exitCode, answer: JSON.parse(stdout) as object }).toMatchObject({
      exitCode: 0,
      answer: { before: aside },
    });
    expect(eventsIn(aside)).toBe(eventsInBackup);
  });

  test.each(["backup", "restore"])("%s says what is wrong with the data directory", async (command) => {
    const file = command === "backup" ? other : backup;
    const { exitCode, stdout, stderr } = await run([command, file], { DATA_DIR: join(backup, "data") });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(/^error: .* cannot be (read|used): ENOTDIR.*\n.*data_dir \(DATA_DIR\).*\n$/);
  });

  test("a restore that ended half-way is refused by the next start, and ended by running it again", async () => {
    renameSync(database, `${database}.before-x`);
    copyFileSync(backup, `${database}.restoring`);
    await expect(world.startAgain()).rejects.toThrow("a restore ended before it was done");
    expect((await run(["restore", backup])).exitCode).toBe(0);
    expect(existsSync(`${database}.restoring`)).toBe(false);
    expect(eventsIn(database)).toBe(eventsInBackup);
  });
});

/** The backup as a kill -9 leaves a database: all of its events are in the WAL only. Its name is what a restore gives. */
function asideWithWal(): string {
  const aside = `${database}.before-99991231T235959Z`;
  const making = join(world.directory, "making.db");
  for (const path of [making, `${making}-wal`, `${making}-shm`, aside, `${aside}-wal`, `${aside}-shm`])
    rmSync(path, { force: true });
  copyFileSync(backup, making);
  const db = new Database(making);
  db.run("pragma foreign_keys = off");
  db.run("create temp table kept as select * from events");
  db.run("delete from events");
  db.run("pragma journal_mode = wal");
  db.run("insert into events select * from kept");
  copyFileSync(making, aside);
  copyFileSync(`${making}-wal`, `${aside}-wal`);
  db.close();
  return aside;
}

function makeNewer(file: string): void {
  copyFileSync(backup, file);
  const db = new Database(file);
  db.run("pragma user_version = 9999");
  db.close();
}

function damage(file: string): void {
  const bytes = readFileSync(backup);
  // Two whole pages.
  writeFileSync(file, bytes.fill(0x55, 8192, 16_384));
}
