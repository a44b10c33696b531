import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { createSqliteStorage, DATABASE_FILE, StorageOpenError } from "../../../plugins/storage/sqlite";
import { MIGRATIONS, SCHEMA_VERSION } from "../../../plugins/storage/sqlite/migrations";
import { hookIdFrom } from "../../../src/domain/ids";
import { ManualClock } from "../../support/manual-clock";
import { recordingLog } from "../../support/recording-log";
import { temporaryDirectory } from "../../support/server-process";
import { storedHooks } from "../../support/stored-hooks";
import { incoming, matchOf, pattern, webhookJson } from "../../support/webhooks";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let file: string;
let log: ReturnType<typeof recordingLog>;

beforeEach(async () => {
  directory = await temporaryDirectory();
  file = join(directory.path, DATABASE_FILE);
  log = recordingLog();
});

afterEach(() => directory.remove());

const host = (name: string) => pattern(`${name}.example.com`);
const open = () => createSqliteStorage({ dataDir: directory.path, clock: new ManualClock(), log });

/**
 * Rows of the first version, in each of its tables: a call of two events, one delivered and one pending, a call that found
 * no hook, and a hook.
 */
const FIRST_ROWS = [
  "insert into calls (id, room_sid, room_name, first_at, last_at) values (1, 'RM_1', 'sip-1', 1000, 2000)",
  "insert into calls (id, room_sid, room_name, first_at, last_at, finished_at) values (2, 'RM_2', 'sip-2', 1, 2, 2)",
  "insert into participants (call, sid, hook) values (1, 'PA_1', 'hook-a'), (1, 'PA_2', null)",
  "insert into call_hooks (call, position, hook) values (1, 0, 'hook-a')",
  "insert into owner_tasks (call, auth_id) values (1, 'tenant-a')",
  "insert into events (seq, id, call, room_name, name, subject, created_at, received_at, state, content_type, body) values " +
    "(1, 'EV_1', 1, 'sip-1', 'room_started', 'room', 1, 1500, 0, 'x/y', x'7b7d'), " +
    "(2, 'EV_2', 1, 'sip-1', 'participant_joined', 'PA_1', null, 1500, 0, 'x/y', x'7b7d'), " +
    "(3, 'EV_3', 2, 'sip-2', 'room_started', 'room', 1, 1500, 2, 'x/y', x'7b7d')",
  "insert into lanes (id, hook, call, head, due) values (1, 'hook-a', 1, 2, 1500)",
  "insert into deliveries (id, lane, event, state, attempts, settled_at) values (1, 1, 1, 1, 1, 1600), (2, 1, 2, 0, 3, null)",
  "insert into attempts (delivery, n, started_at, duration_ms, status) values (1, 1, 1500, 3, 200), (2, 1, 1500, 3, 503)",
  "insert into hooks (host, url, auth_id) values ('a.example.com', 'https://a.example/', 'tenant-a')",
  "insert into hook_changes (who, at, hosts) values ('ops', 1000, " +
    `'[{"host":"a.example.com","after":{"host":"a.example.com","url":"https://a.example/0"}},` +
    `{"host":"b.example.com","after":{"host":"b.example.com","url":"https://b.example/"}}]'), ('tenant-a', 2000, ` +
    `'[{"host":"b.example.com","before":{"host":"b.example.com","url":"https://b.example/"}},` +
    `{"host":"a.example.com","before":{"host":"a.example.com","url":"https://a.example/0"},` +
    `"after":{"host":"a.example.com","url":"https://a.example/","authId":"tenant-a"}}]')`,
  "insert into paused_hooks (hook, reason, since) values ('hook-b', 'it answered 410', 1000)",
  "insert into probe (id, at) values (1, 1000)",
];

/** Rows of tables that a later version brought, by that version. */
const LATER_ROWS: Readonly<Record<number, readonly string[]>> = {
  2: ["insert into known_hooks (hook, host, auth_id) values ('hook-a', 'a.example.com', 'tenant-a')"],
  3: ["insert into removed_events (id, forget_at) values ('EV_0', 9000)"],
};

/** A database as this version left it, and what is in it. */
function writeVersion(version: number): Map<string, number> {
  const db = new Database(file, { create: true });
  for (let v = 1; v <= version; v++) {
    db.run(MIGRATIONS[v - 1] ?? "");
    for (const row of v === 1 ? FIRST_ROWS : (LATER_ROWS[v] ?? [])) db.run(row);
  }
  db.run(`pragma user_version = ${version}`);
  const counts = rowCounts(db);
  db.close();
  return counts;
}

function rowCounts(db: Database): Map<string, number> {
  const tables = db.query<{ name: string }, []>("select name from sqlite_schema where type = 'table'").all();
  return new Map(
    tables
      .filter(({ name }) => !name.startsWith("sqlite_"))
      .map(({ name }) => [name, db.query<{ n: number }, []>(`select count(*) as n from ${name}`).get()?.n ?? 0]),
  );
}

function inspect<Result>(look: (db: Database) => Result): Result {
  const db = new Database(file);
  try {
    return look(db);
  } finally {
    db.close();
  }
}

const schemaOf = (db: Database) => db.query("select type, name, sql from sqlite_schema order by type, name").all();
const versionOf = (db: Database) => db.query<{ user_version: number }, []>("pragma user_version").get()?.user_version;
const contentOf = (db: Database) =>
  [...rowCounts(db).keys()].map((table) => [table, db.query(`select * from ${table}`).all()]);

describe("every earlier version becomes the present one", () => {
  const versions = Array.from({ length: SCHEMA_VERSION }, (_, i) => i + 1);

  test.each(versions)(
    "version %d: rows of all its tables are there, and the schema is that of a new database",
    async (version) => {
      const before = writeVersion(version);
      expect([...before].filter(([, rows]) => rows === 0)).toEqual([]);
      await open().close();
      const after = inspect(rowCounts);
      for (const [table, rows] of before) expect([table, after.get(table)]).toEqual([table, rows]);
      expect(inspect((db) => db.query("pragma foreign_key_check").all())).toEqual([]);
      expect(inspect((db) => db.query("pragma quick_check").get())).toEqual({ quick_check: "ok" });
      const migrated = inspect(schemaOf);
      await directory.remove();
      directory = await temporaryDirectory();
      file = join(directory.path, DATABASE_FILE);
      await open().close();
      expect(migrated).toEqual(inspect(schemaOf));
    },
  );

  test.each(versions)(
    "version %d: what is pending goes out, attempts count, hooks are there, events are known",
    async (version) => {
      writeVersion(version);
      const storage = open();
      const hook = hookIdFrom("hook-a");
      const { deliveries } = await storage.claim(hook, { now: 2000, limit: 10, busy: new Set() });
      expect(deliveries).toMatchObject([{ id: 2, eventName: "participant_joined", attempts: 3, replay: false }]);
      expect(deliveries[0]?.failures).toBe(3);
      expect(await storedHooks(storage)).toMatchObject([{ host: "a.example.com", authId: "tenant-a" }]);
      expect(await storage.hookVersions(10)).toEqual([
        { version: 2, who: "tenant-a", at: 2000, added: 0, replaced: 1, removed: 1, hosts: [host("b"), host("a")] },
        { version: 1, who: "ops", at: 1000, added: 2, replaced: 0, removed: 0, hosts: [host("a"), host("b")] },
      ]);
      expect(await storage.hookDifferences(0, 2)).toMatchObject([
        { host: "a.example.com", after: { authId: "tenant-a" } },
      ]);
      expect(await storage.pausedHooks()).toMatchObject([{ hook: "hook-b" }]);
      expect(await storage.ownerTasks()).toMatchObject([{ roomName: "sip-1", authId: "tenant-a" }]);
      const again = incoming(webhookJson("participant_joined", { id: "EV_2" }), matchOf(hook), 3000);
      const next = incoming(webhookJson("room_finished"), undefined, 3000);
      const results = await storage.commit([again, next], () => "ordered");
      expect(results.map(({ kind }) => kind)).toEqual(["duplicate", "kept"]);
      expect(results[1]).toMatchObject({ hooks: [hook] });
      await storage.close();
    },
  );

  test("the log says so; a database of the present version is opened without a word of it", async () => {
    writeVersion(1);
    await open().close();
    const message = "The database is brought to a newer schema";
    expect(log.lines).toContainEqual({ level: "info", message, fields: { from: 1, to: SCHEMA_VERSION } });
    log.lines.length = 0;
    await open().close();
    expect(log.lines.map((line) => line.message)).toEqual(["Storage is open"]);
  });
});

describe("a migration that fails leaves the old version as it was", () => {
  test.each([
    ["a table that is there already", "create table known_hooks (x)"],
    ["a row that refers to nothing", "insert into lanes (hook, call) values ('hook-z', 999)"],
    [
      "a write error in the middle",
      "create trigger injected before update on events begin select raise(abort, 'injected write error'); end",
    ],
  ])("%s", (_, spoil) => {
    writeVersion(1);
    inspect((db) => {
      db.run("pragma foreign_keys = off");
      db.run(spoil);
    });
    const before = inspect((db) => [versionOf(db), schemaOf(db), contentOf(db)]);
    expect(open).toThrow(StorageOpenError);
    expect(open).toThrow(/could not be brought from schema version 1 to \d+: .*It was left as it is/);
    expect(inspect((db) => [versionOf(db), schemaOf(db), contentOf(db)])).toEqual(before);
  });
});

test("a database of a newer version is refused, and left as it is", async () => {
  await open().close();
  const newer = SCHEMA_VERSION + 1;
  inspect((db) => {
    db.run("create table later (x)");
    db.run(`pragma user_version = ${newer}`);
  });
  const before = inspect((db) => [versionOf(db), schemaOf(db), contentOf(db)]);
  expect(open).toThrow(StorageOpenError);
  expect(open).toThrow(`has schema version ${newer}, and this program knows ${SCHEMA_VERSION} at most`);
  expect(inspect((db) => [versionOf(db), schemaOf(db), contentOf(db)])).toEqual(before);
});
