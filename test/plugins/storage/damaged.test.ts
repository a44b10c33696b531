import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSqliteStorage, DATABASE_FILE, StorageOpenError } from "../../../plugins/storage/sqlite";
import { hookIdFrom } from "../../../src/domain/ids";
import { ManualClock } from "../../support/manual-clock";
import { recordingLog } from "../../support/recording-log";
import { temporaryDirectory } from "../../support/server-process";
import { caller, incoming, matchOf, webhookJson } from "../../support/webhooks";

const HOOK = hookIdFrom("hook-a");
const PAGE = 4096;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let file: string;
let log: ReturnType<typeof recordingLog>;

beforeEach(async () => {
  directory = await temporaryDirectory();
  file = join(directory.path, DATABASE_FILE);
  log = recordingLog();
});

afterEach(() => directory.remove());

const open = () => createSqliteStorage({ dataDir: directory.path, clock: new ManualClock(), log });

function events(count: number) {
  return Array.from({ length: count }, (_, i) => {
    const json = webhookJson("participant_joined", {
      room: { sid: `RM_${i}`, name: `sip-${i}` },
      participant: caller(`PA_${i}`, "a.example.com"),
    });
    return incoming(json, matchOf(HOOK), 1000);
  });
}

/** A sound database of some hundred pages, closed. */
async function writeDatabase(): Promise<void> {
  const storage = open();
  await storage.commit(events(500), () => "ordered");
  await storage.close();
}

/** A database whose events are in its WAL only, as after `kill -9`: copied while it is open. */
async function writeWithWal(): Promise<void> {
  const storage = open();
  await storage.commit(events(10), () => "ordered");
  const copies = [file, `${file}-wal`].map((name) => [name, readFileSync(name)] as const);
  await storage.close();
  for (const [name, bytes] of copies) writeFileSync(name, bytes);
  rmSync(`${file}-shm`, { force: true });
}

function overwrite(at: number, bytes: Uint8Array): void {
  const content = readFileSync(file);
  content.set(bytes, at);
  writeFileSync(file, content);
}

/** A WAL without a byte in it counts as none: reading makes one. */
const contents = () =>
  [file, `${file}-wal`]
    .map((name) => {
      const bytes = existsSync(name) ? readFileSync(name) : Buffer.alloc(0);
      return bytes.length === 0 ? "nothing" : Bun.hash(bytes).toString();
    })
    .concat(String(existsSync(file)));

function refusal(): string {
  try {
    open();
  } catch (error) {
    if (error instanceof StorageOpenError) return error.message;
    throw error;
  }
  throw new Error("It was opened");
}

type Damage = () => void | Promise<void>;

describe("a database that is damaged ends the start, and is left as it is", () => {
  test.each<[string, Damage, RegExp]>([
    ["not a database at all", () => writeFileSync(file, "hello ".repeat(2000)), /is not an SQLite database/],
    ["a few bytes", () => writeFileSync(file, "SQLite format 3\0"), /is not an SQLite database/],
    [
      "zeros in the place of the header",
      async () => {
        await writeDatabase();
        overwrite(0, new Uint8Array(100));
      },
      /is not an SQLite database/,
    ],
    [
      "the database of another program",
      () => {
        const db = new Database(file, { create: true });
        db.run("create table notes (text)");
        db.close();
      },
      /is the database of another program/,
    ],
    [
      "zeros in the middle",
      async () => {
        await writeDatabase();
        const middle = Math.floor(readFileSync(file).length / PAGE / 2) * PAGE;
        overwrite(middle, new Uint8Array(PAGE));
      },
      /cannot be used: Tree \d+ page \d+/,
    ],
    [
      "zeros in every page but the first",
      async () => {
        await writeDatabase();
        overwrite(PAGE, new Uint8Array(readFileSync(file).length - PAGE));
      },
      /cannot be used/,
    ],
    [
      "a schema that is garbage",
      async () => {
        await writeDatabase();
        overwrite(100, new Uint8Array(PAGE - 100).fill(0xa5));
      },
      /malformed|corrupt/i,
    ],
    [
      "a table missing",
      async () => {
        await writeDatabase();
        const db = new Database(file);
        db.run("drop table attempts");
        db.close();
      },
      /lacks attempts/,
    ],
    [
      "half of it",
      async () => {
        await writeDatabase();
        truncateSync(file, Math.floor(readFileSync(file).length / 2));
      },
      /it has \d+ bytes of \d+/,
    ],
    [
      "all but its last page",
      async () => {
        await writeDatabase();
        truncateSync(file, readFileSync(file).length - PAGE);
      },
      /it has \d+ bytes of \d+/,
    ],
    [
      "a WAL without its database",
      async () => {
        await writeWithWal();
        rmSync(file);
      },
      /it is missing, and its WAL is not/,
    ],
    [
      "a WAL with an empty database",
      async () => {
        await writeWithWal();
        writeFileSync(file, "");
      },
      /it is empty, and its WAL is not/,
    ],
    [
      "zeros in the middle, and a WAL",
      async () => {
        await writeDatabase();
        const pages = readFileSync(file);
        const storage = open();
        await storage.commit(events(5), () => "ordered");
        const wal = readFileSync(`${file}-wal`);
        await storage.close();
        pages.fill(0, Math.floor(pages.length / PAGE / 2) * PAGE, Math.floor(pages.length / PAGE / 2 + 1) * PAGE);
        writeFileSync(file, pages);
        writeFileSync(`${file}-wal`, wal);
      },
      /cannot be used/,
    ],
  ])("%s", async (_, damage, message) => {
    await damage();
    const before = contents();
    const text = refusal();
    expect(text).toMatch(message);
    expect(text).toContain(file);
    expect(text).toContain(".recover");
    expect(contents()).toEqual(before);
    // And again: the refusal itself leaves nothing behind that would let the next start through, or lock it out.
    expect(refusal()).toBe(text);
    expect(contents()).toEqual(before);
  });
});

test("moving the damaged files away begins an empty database, as the message says", async () => {
  await writeDatabase();
  overwrite(0, new Uint8Array(100));
  refusal();
  rmSync(file);
  const storage = open();
  expect(await storage.waitingHooks()).toEqual([]);
  await storage.close();
});

test("a sound database with a WAL is opened, and what is in the WAL is there", async () => {
  await writeWithWal();
  const storage = open();
  expect(await storage.waitingHooks()).toEqual([HOOK]);
  await storage.close();
});

test("an empty file becomes a database, with a warning", async () => {
  writeFileSync(file, "");
  const storage = open();
  await storage.checkWritable();
  await storage.close();
  expect(log.lines[0]).toMatchObject({ level: "warn", message: "The database was an empty file; it begins anew" });
});
