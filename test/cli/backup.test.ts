import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { callWebhooks } from "../torture/call-webhooks";
import { runCommandLine } from "../support/run-command";
import { World } from "../support/world";

const HOST = "tenant-a.example.com";

let world: World;
let env: Record<string, string>;
let backup: string;

beforeEach(async () => {
  // Nobody listens where the hook leads to, so that everything stays pending.
  world = await World.start({ tenants: { a: [{ host: HOST }] } });
  await world.tenant("a").stop();
  env = { DATA_DIR: join(world.directory, "data") };
  backup = join(world.directory, "backup.db");
}, 20_000);

afterEach(() => world.end());

const run = (...args: string[]) => runCommandLine(args, { env });

function eventsIn(file: string): number {
  const db = new Database(file, { readonly: true });
  try {
    return db.query<{ n: number }, []>("select count(*) as n from events").get()?.n ?? -1;
  } finally {
    db.close();
  }
}

async function takeCall(room: string): Promise<number> {
  const webhooks = callWebhooks(room, [HOST]);
  for (const { body } of webhooks) await world.send(body);
  return webhooks.length;
}

describe("backup", () => {
  test("copies what was committed while the service runs, and the service goes on", async () => {
    const events = await takeCall("one");
    const { exitCode, stdout, stderr } = await run("backup", backup);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toStartWith(`${backup}: ${statSync(backup).size} bytes, schema version `);
    expect(eventsIn(backup)).toBe(events);
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    await takeCall("two");
    expect(eventsIn(backup)).toBe(events);
  });

  test("never replaces a file, and leaves none that is not whole", async () => {
    writeFileSync(backup, "the last good one");
    const there = await run("backup", backup, "--json");
    expect(there.exitCode).toBe(1);
    expect(JSON.parse(there.stdout)).toEqual({
      error: { code: "failed", message: `${backup} is there already`, hint: "Name a new file, or remove that one." },
    });
    const nowhere = await run("backup", join(world.directory, "none", "x.db"));
    expect(nowhere).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("There is no directory") });
    expect(readdirSync(world.directory).filter((name) => name.endsWith(".partial"))).toEqual([]);
  });

  test("of a directory without a database says so", async () => {
    env = { DATA_DIR: join(world.directory, "other") };
    expect(await run("backup", backup)).toEqual({
      exitCode: 1,
      stdout: "",
      stderr:
        `error: There is no database in ${join(world.directory, "other")}\n` +
        "Is that the data directory (data_dir, DATA_DIR) of the service?\n",
    });
  });

  test.each([
    ["backup", "Use pg_dump, "],
    ["restore", "Stop the service, and use pg_restore: "],
  ])("%s of Postgres names its own command, and no password", async (command, hint) => {
    env = { STORAGE_URL: "postgres://u:planted-password@127.0.0.1:1/db" };
    const { exitCode, stderr } = await run(command, backup);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`which has commands of its own for that\n${hint}`);
    expect(stderr).not.toContain("planted-password");
  });
});

describe("restore", () => {
  test("is refused while a service uses the directory, and changes nothing", async () => {
    await run("backup", backup);
    const before = readdirSync(join(world.directory, "data")).toSorted();
    expect(await run("restore", backup)).toEqual({
      exitCode: 1,
      stdout: "",
      stderr:
        `error: The data directory ${env["DATA_DIR"]} is in use by process ${world.server.pid}\n` +
        "Stop the service first; then restore, and start it again.\n",
    });
    expect(readdirSync(join(world.directory, "data")).toSorted()).toEqual(before);
    await takeCall("still");
  });

  test("brings back what was pending, which is then delivered; what was there is kept beside it", async () => {
    const events = await takeCall("one");
    await run("backup", backup);
    const all = events + (await takeCall("two"));
    await world.server.killHard();
    const { exitCode, stdout } = await run("restore", backup, "--json");
    const answer = JSON.parse(stdout) as { database: string; before: string };
    expect(exitCode).toBe(0);
    expect(eventsIn(answer.database)).toBe(events);
    expect(eventsIn(answer.before)).toBe(all);
    await world.tenant("a").start();
    await world.startAgain();
    await world.tenant("a").waitFor(events);
    expect(existsSync(backup)).toBe(true);
  }, 20_000);

  test.each([
    ["nothing", undefined, "There is no file"],
    ["an empty file", "", "is no backup: it is empty"],
    ["something else", "x".repeat(4096), "cannot be used: it is not an SQLite database"],
  ])("refuses %s, and changes nothing", async (_, content, message) => {
    await world.server.killHard();
    if (content !== undefined) writeFileSync(backup, content);
    const events = eventsIn(join(world.directory, "data", "sayna-sip.db"));
    const { exitCode, stderr } = await run("restore", backup);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(message);
    expect(eventsIn(join(world.directory, "data", "sayna-sip.db"))).toBe(events);
  });

  test("refuses a backup of a newer version, and a damaged one", async () => {
    await takeCall("one");
    await run("backup", backup);
    await world.server.killHard();
    const newer = new Database(backup);
    newer.run("pragma user_version = 9999");
    newer.close();
    expect((await run("restore", backup)).stderr).toContain("has schema version 9999, and this program knows");
    const bytes = new Uint8Array(await Bun.file(backup).arrayBuffer());
    bytes.fill(0x55, 8192, 16_384);
    writeFileSync(backup, bytes);
    expect((await run("restore", backup)).stderr).toMatch(/error: .*backup\.db (cannot be used|is damaged): /);
  });

  test("one that ended half-way is refused by the next start, and ended by running it again", async () => {
    const events = await takeCall("one");
    await run("backup", backup);
    await world.server.killHard();
    const database = join(world.directory, "data", "sayna-sip.db");
    renameSync(database, `${database}.before-x`);
    writeFileSync(`${database}.restoring`, await Bun.file(backup).bytes());
    await expect(world.startAgain()).rejects.toThrow("a restore ended before it was done");
    expect((await run("restore", backup)).exitCode).toBe(0);
    expect(eventsIn(database)).toBe(events);
    await world.startAgain();
  }, 20_000);
});
