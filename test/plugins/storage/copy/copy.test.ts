import { SQL } from "bun";
import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { copyStorage, CopyError, type CopyResult, type CopyStep } from "../../../../plugins/storage/copy";
import { createPostgresStorage, StorageOpenError } from "../../../../plugins/storage/postgres";
import { storableText } from "../../../../plugins/storage/postgres/storable-text";
import type { Page, PageRequest } from "../../../../src/contracts/history";
import type { Storage } from "../../../../src/contracts/storage";
import { A, B, event, HOUR, NOW } from "../../../../src/contracts/testing/sample-events";
import type { HookId } from "../../../../src/domain/ids";
import { ManualClock } from "../../../support/manual-clock";
import { emptyDatabase, run } from "../../../support/postgres";
import { temporaryDirectory } from "../../../support/server-process";
import { silentLog } from "../../../support/silent-log";
import { settled } from "../../../support/storages";
import { filledSqlite, LONG, ODD, openSqlite } from "./filled-sqlite";

let filled: Awaited<ReturnType<typeof filledSqlite>>;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let database: Awaited<ReturnType<typeof emptyDatabase>>;
let dataDir: string;

beforeAll(async () => {
  filled = await filledSqlite();
});

afterAll(() => filled.remove());

beforeEach(async () => {
  directory = await temporaryDirectory();
  dataDir = join(directory.path, "data");
  await cp(filled.dataDir, dataDir, { recursive: true });
  database = await emptyDatabase();
});

afterEach(async () => {
  await directory.remove();
  await database.remove();
});

const openPostgres = () => createPostgresStorage({ url: database.url, clock: new ManualClock(NOW), log: silentLog });

function copy(options: { restart?: boolean; report?: (step: CopyStep) => void; from?: string } = {}) {
  return copyStorage({ from: dataDir, to: database.url, log: silentLog, report: () => {}, ...options });
}

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  return error instanceof Error ? error.message : "";
}

async function select(statement: string): Promise<unknown[]> {
  const sql = new SQL({ url: database.url, max: 1 });
  try {
    return [...((await sql.unsafe(statement)) as unknown[])];
  } finally {
    await sql.close();
  }
}

async function all<Entry>(read: (page: PageRequest) => Promise<Page<Entry>>): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let page: PageRequest | undefined = { limit: 100 }; page !== undefined;) {
    const { entries: some, next }: Page<Entry> = await read(page);
    entries.push(...some);
    page = next === undefined ? undefined : { limit: 100, after: next };
  }
  return entries;
}

/** All that the contract shows of a storage. */
async function contentOf(storage: Storage) {
  const calls = await all((page) => storage.calls({ viewer: "operator" }, page));
  const deliveries = await all((page) => storage.deliveries({ viewer: "operator" }, page));
  return {
    calls,
    deliveries: await Promise.all(deliveries.map(({ id }) => storage.delivery(id, "operator"))),
    timelines: await Promise.all(
      calls.map(({ roomSid }) => all((page) => storage.timeline(roomSid, "operator", page))),
    ),
    unmatched: await all((page) => storage.unmatched({}, page)),
    hooks: await all((page) => storage.readHooks(page)),
    versions: await storage.hookVersions(100),
    differences: (await storage.hookDifferences(0, 2)).toSorted((a, b) => (a.host < b.host ? -1 : 1)),
    paused: await storage.pausedHooks(),
    owners: await storage.ownerTasks(),
    waiting: (await storage.waitingHooks()).toSorted(),
    memory: await storage.remembered(event("track_published", { room: { sid: "RM_2", name: "sip-2" } }).event, NOW),
  };
}

/** Sends all that waits as the dispatcher does, and says what that was, lane by lane in the order of the sending. */
async function drain(storage: Storage, hook: HookId): Promise<Record<string, unknown[]>> {
  const sent: Record<string, unknown[]> = {};
  for (;;) {
    const { deliveries } = await storage.claim(hook, { now: NOW + HOUR, limit: 7, busy: new Set() });
    if (deliveries.length === 0) return sent;
    for (const { lane, ...delivery } of deliveries) {
      sent[lane] = [...(sent[lane] ?? []), { ...delivery, body: new TextDecoder().decode(delivery.body) }];
    }
    await storage.settle(deliveries.map((delivery) => settled(delivery, { kind: "delivered" }, NOW + HOUR)));
  }
}

/** Texts as Postgres has them. */
function asStored<Content>(content: Content): Content {
  const text = JSON.stringify(plain(content), (_, value: unknown) => {
    if (typeof value !== "string") return value;
    return value === LONG ? storableText(value) : value.toWellFormed().replaceAll("\0", "\uFFFD");
  });
  return JSON.parse(text) as Content;
}

/** Without what only classes differ in: bytes are bytes. */
function plain<Content>(content: Content): Content {
  const text = JSON.stringify(content, (_, value: unknown) => {
    const bytes = value instanceof Uint8Array || isBufferJson(value);
    return bytes ? Buffer.from(value instanceof Uint8Array ? value : value.data).toString("base64") : value;
  });
  return JSON.parse(text) as Content;
}

/** What a Buffer makes of itself for JSON. */
function isBufferJson(value: unknown): value is { data: number[] } {
  return typeof value === "object" && value !== null && "type" in value && value.type === "Buffer";
}

test("everything that the contract shows is the same afterwards", async () => {
  const before = openSqlite(dataDir);
  const expected = await contentOf(before);
  await before.close();
  expect(expected.deliveries.length).toBeGreaterThan(100);
  expect(new Set(expected.deliveries.map((delivery) => delivery?.state))).toEqual(
    new Set(["pending", "delivered", "dead", "expired", "cancelled"]),
  );
  expect(expected.owners.length).toBeGreaterThan(5);
  expect(JSON.stringify(expected)).toContain(JSON.stringify(ODD.toWellFormed()).slice(1, -1));
  await copy();
  const storage = await openPostgres();
  expect(plain(await contentOf(storage))).toEqual(asStored(expected));
  await storage.close();
});

test("what waits is sent in the same order, with its attempts and at its time", async () => {
  await copy();
  const [before, after] = [openSqlite(dataDir), await openPostgres()];
  for (const hook of [A, B]) {
    const at = { now: NOW + 5_499, limit: 100, busy: new Set<number>() };
    const [expected, claimed] = [await before.claim(hook, at), await after.claim(hook, at)];
    expect(claimed.deliveries.map(({ id }) => id)).toEqual(expected.deliveries.map(({ id }) => id));
    expect(claimed.nextDue).toEqual(expected.nextDue);
    expect(await drain(after, hook)).toEqual(asStored(await drain(before, hook)));
  }
  expect(await after.waitingHooks()).toEqual([]);
  await Promise.all([before.close(), after.close()]);
});

test("what is new gets ids behind the copied ones, and goes behind them in its lane", async () => {
  await copy();
  const storage = await openPostgres();
  const ids = (await all((page) => storage.deliveries({ viewer: "operator" }, page))).map(({ id }) => id);
  await storage.commit(
    [event("last_one", { room: { sid: "RM_2", name: "sip-2" } }, undefined, NOW + HOUR)],
    () => "ordered",
  );
  const [newest] = (await storage.deliveries({ viewer: "operator" }, { limit: 1 })).entries;
  expect(newest?.eventName).toBe("last_one");
  expect(newest?.id).toBeGreaterThan(Math.max(...ids));
  const sent = await drain(storage, A);
  expect(Object.values(sent).filter((lane) => JSON.stringify(lane.at(-1)).includes("last_one"))).toHaveLength(1);
  await storage.close();
});

test("an id is known that SQLite has removed the event of, and one that it has", async () => {
  const sqlite = new Database(join(dataDir, "sayna-sip.db"), { readonly: true });
  const removed = sqlite.query<{ id: string }, []>("select id from removed_events limit 1").get()?.id;
  const kept = sqlite.query<{ id: string }, []>("select id from events limit 1").get()?.id;
  sqlite.close();
  expect([typeof removed, typeof kept]).toEqual(["string", "string"]);
  await copy();
  const storage = await openPostgres();
  const again = [removed, kept].map((id) => event("room_started", { id, room: { sid: "RM_0", name: "sip-0" } }));
  expect(await storage.commit(again, () => "ordered")).toEqual([{ kind: "duplicate" }, { kind: "duplicate" }]);
  await storage.close();
});

describe("a copy that was ended in the middle", () => {
  /** What one that was not ended says. */
  let undisturbed: CopyResult["tables"];

  beforeAll(async () => {
    const direct = await emptyDatabase();
    ({ tables: undisturbed } = await copyStorage({
      from: filled.dataDir,
      to: direct.url,
      log: silentLog,
      report: () => {},
    }));
    await direct.remove();
  });

  /** Ends it after so many pages, as a lost connection does. */
  async function interrupted(after: number): Promise<void> {
    let pages = 0;
    const error = await failure(
      copy({
        report: ({ kind }) => {
          if (kind !== "begins" && ++pages > after) throw new Error("interrupted");
        },
      }),
    );
    expect(error).toBe("interrupted");
  }

  test.each([0, 4, 8, 12, 20])("after %d steps goes on where it was", async (steps) => {
    await interrupted(steps);
    const begun: CopyStep[] = [];
    const { tables } = await copy({ report: (step) => begun.push(step) });
    expect(begun[0]).toMatchObject({ kind: "begins", resumed: true });
    expect(tables).toEqual(undisturbed);
    expect(
      await select("select count(*)::integer as n from sayna_sip.lanes where due is not null and job is null"),
    ).toEqual([{ n: 0 }]);
  });

  test("lets no service start before it is finished", async () => {
    await interrupted(4);
    expect(openPostgres()).rejects.toBeInstanceOf(StorageOpenError);
    expect(await failure(openPostgres())).toContain("Run the same sayna-sip storage copy again");
    await copy();
    await (await openPostgres()).close();
  });

  test("is not finished when the SQLite was written to meanwhile; begun anew it is", async () => {
    await interrupted(16);
    const sqlite = openSqlite(dataDir);
    await drain(sqlite, A);
    await sqlite.close();
    const message = await failure(copy());
    expect(message).toContain("deliveries");
    expect(message).toContain("--restart");
    expect(await failure(openPostgres())).toContain("is not finished");
    await copy({ restart: true });
    const storage = await openPostgres();
    expect(await drain(storage, A)).toEqual({});
    await storage.close();
  });
});

describe("is refused", () => {
  test("while a service runs on the SQLite", async () => {
    const sqlite = openSqlite(dataDir);
    expect(await failure(copy())).toContain(`in use by process ${process.pid}`);
    await sqlite.close();
  });

  test("while a service runs on the Postgres, whose data stays", async () => {
    const storage = await openPostgres();
    expect(await failure(copy())).toContain("A service runs on");
    await storage.commit([event("room_started")], () => "ordered");
    expect(await failure(copy())).toContain("A service runs on");
    expect(await failure(copy({ restart: true }))).toContain("A service runs on");
    expect(await storage.unmatched({}, { limit: 1 })).toBeDefined();
    await storage.close();
    expect(await select("select name from sayna_sip.events")).toEqual([{ name: "room_started" }]);
  });

  test("into a Postgres with data of its own, which stays", async () => {
    const storage = await openPostgres();
    await storage.commit([event("room_started", { room: { sid: "RM_o", name: "sip-o" } })], () => "ordered");
    await storage.close();
    for (const restart of [false, true]) {
      const error = await copy({ restart }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(CopyError);
      expect(String(error)).toContain("has data of its own (in calls, events)");
    }
    expect(await select("select name from sayna_sip.events")).toEqual([{ name: "room_started" }]);
    await (await openPostgres()).close();
  });

  test("when another copy into it is under way", async () => {
    const second: Promise<string>[] = [];
    await copy({
      report: ({ kind }) => {
        if (kind === "begins") second.push(failure(copy({ from: filled.dataDir })));
      },
    });
    expect(await Promise.all(second)).toEqual([expect.stringContaining("is under way")]);
  });

  test("when there is no SQLite, and makes none", async () => {
    const nowhere = join(directory.path, "nowhere");
    expect(await failure(copy({ from: nowhere }))).toContain(`There is no ${nowhere}`);
    expect(await Array.fromAsync(new Bun.Glob("*").scan(directory.path))).not.toContain("nowhere");
  });
});

describe("after a copy", () => {
  test("a second run finds that there is nothing to do, also while services run", async () => {
    const { tables } = await copy();
    const storage = await openPostgres();
    expect(await copy()).toMatchObject({ alreadyDone: true, tables });
    expect(await copy({ restart: true })).toMatchObject({ alreadyDone: true });
    await storage.close();
  });

  test("another SQLite is refused", async () => {
    await copy();
    const sqlite = openSqlite(dataDir);
    await sqlite.resumeHooks([B], NOW);
    await sqlite.close();
    expect(await failure(copy())).toContain("is not what was copied (paused_hooks)");
  });

  test("what is missing, or was changed there, is noticed", async () => {
    await failure(
      copy({
        report: ({ kind }) => {
          if (kind === "verified") throw new Error("interrupted");
        },
      }),
    );
    await run(
      database.url,
      `update sayna_sip.events set body = body || '\\x00'::bytea where seq = (select max(seq) from sayna_sip.events);
       delete from sayna_sip.attempts where n = 1 and delivery = (select min(delivery) from sayna_sip.attempts)`,
    );
    const message = await failure(copy());
    expect(message).toMatch(/not the same in events \((\d+) rows here, \1 there\), attempts/);
  });
});
