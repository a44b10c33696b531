import { SQL } from "bun";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { createPostgresStorage, StorageOpenError } from "../../../../plugins/storage/postgres";
import { migrate, MIGRATIONS, SCHEMA_VERSION, type Migration } from "../../../../plugins/storage/postgres/migrations";
import type { PendingDelivery, Storage } from "../../../../src/contracts/storage";
import { A, event, NOW, sip, to } from "../../../../src/contracts/testing/sample-events";
import { silentLog } from "../../../support/silent-log";
import { ManualClock } from "../../../support/manual-clock";
import { openStorages, settled, type Storages } from "../../../support/storages";

/** What a next version may do to large tables: a column, a table that refers to them, an index. */
const ADDITIONS = `
  alter table events add column origin text collate "C" not null default 'livekit';
  alter table deliveries add column origin text collate "C";
  alter table lanes add column weight integer not null default 1;
  create table delivery_notes (delivery bigint primary key references deliveries (id) on delete cascade, note text);
  create index events_by_origin on events (origin, seq);
`;
const NEXT: readonly Migration[] = [...MIGRATIONS, { statements: ADDITIONS, worksWith: SCHEMA_VERSION }];
const BREAKING: readonly Migration[] = [...MIGRATIONS, { statements: ADDITIONS, worksWith: SCHEMA_VERSION + 1 }];

let storages: Storages;
let sql: SQL;

beforeEach(async () => {
  storages = await openStorages(2);
  sql = new SQL({ url: storages.url, max: 5, connection: { search_path: "sayna_sip" } });
});

afterEach(async () => {
  await sql.close();
  await storages.remove();
});

let calls = 0;

/** Keeps calls and sends them until it is told to end, as this version does. */
function work(storage: Storage) {
  let running = true;
  const sent: string[] = [];
  const kept: string[] = [];
  async function sendSome(): Promise<void> {
    const { deliveries } = await storage.claim(A, { now: NOW, limit: 5, busy: new Set() });
    await storage.settle(deliveries.map((delivery: PendingDelivery) => settled(delivery, { kind: "delivered" }, NOW)));
    sent.push(...deliveries.map(({ eventId }) => String(eventId)));
  }
  const done = (async () => {
    while (running) {
      const room = { sid: `RM_u${++calls}`, name: "sip-u" };
      const events = [
        event("participant_joined", { room, participant: sip(`PA_u${calls}`) }, to(A, "a.example.com")),
        event("room_finished", { room }),
      ];
      await storage.commit(events, () => "ordered");
      kept.push(...events.map(({ event: { id } }) => String(id)));
      await sendSome();
    }
  })();
  return {
    kept,
    sent,
    sendSome,
    end: async () => {
      running = false;
      await done;
    },
  };
}

test("instances of this version go on while several of the next one start, of which one migrates", async () => {
  const [one, two] = storages.all as [Storage, Storage];
  const [first, second] = [work(one), work(two)];
  await Bun.sleep(200);
  const migrated = await Promise.all([1, 2, 3].map(() => migrate(sql, NEXT)));
  await Bun.sleep(200);
  await Promise.all([first.end(), second.end()]);
  const versions = (await sql`select version, works_with from migrations order by version`) as unknown[];
  expect([...versions].slice(-1)).toEqual([{ version: SCHEMA_VERSION + 1, works_with: SCHEMA_VERSION }]);
  expect(versions).toHaveLength(SCHEMA_VERSION + 1);
  expect(migrated.map(({ to: version }) => version)).toEqual([1, 2, 3].map(() => SCHEMA_VERSION + 1));
  // What is left is what the other one had leased a moment ago.
  const kept = [...first.kept, ...second.kept];
  for (let left = 500; (await one.waitingHooks()).length > 0 && left > 0; left--) {
    await first.sendSome();
    await second.sendSome();
  }
  const sent = [...first.sent, ...second.sent];
  expect(kept.length).toBeGreaterThan(8);
  expect(sent.toSorted()).toEqual(kept.toSorted());
});

test("an instance of this version starts beside the next one, reads what that has written, and tells of the newer schema", async () => {
  await migrate(sql, NEXT);
  const storage = await storages.open();
  await storage.commit(
    [event("participant_joined", { participant: sip("PA_1") }, to(A, "a.example.com"))],
    () => "ordered",
  );
  await sql`update events set origin = 'elsewhere'`;
  const { entries } = await storage.deliveries({ viewer: "operator" }, { limit: 10 });
  expect(entries).toHaveLength(1);
  expect(await migrate(sql, NEXT)).toEqual({ from: SCHEMA_VERSION + 1, to: SCHEMA_VERSION + 1 });
});

test("a version that does not work with this one is refused here, and left as it is", async () => {
  await migrate(sql, BREAKING);
  const opened = createPostgresStorage({ url: storages.url, clock: new ManualClock(), log: silentLog });
  const error = await opened.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StorageOpenError);
  expect(String(error)).toContain(`works with programs of schema version ${SCHEMA_VERSION + 1} or newer`);
  expect(await migrate(sql, BREAKING)).toEqual({ from: SCHEMA_VERSION + 1, to: SCHEMA_VERSION + 1 });
});

test("a migration that fails leaves the version as it was, and the others at work", async () => {
  const failing = [...MIGRATIONS, { statements: `${ADDITIONS}; select 1 / 0`, worksWith: SCHEMA_VERSION }];
  const error = await migrate(sql, failing).catch((reason: unknown) => reason);
  expect(String(error)).toContain("division by zero");
  const [one] = storages.all as [Storage];
  await one.commit([event("room_started")], () => "ordered");
  expect(await migrate(sql)).toEqual({ from: SCHEMA_VERSION, to: SCHEMA_VERSION });
  expect([...(await sql`select to_regclass('delivery_notes') as made`)]).toEqual([{ made: null }]);
});
