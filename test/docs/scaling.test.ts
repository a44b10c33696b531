import { SQL } from "bun";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createPostgresStorage } from "../../plugins/storage/postgres";
import type { Storage } from "../../src/contracts/storage";
import { ManualClock } from "../support/manual-clock";
import { emptyDatabase } from "../support/postgres";
import { silentLog } from "../support/silent-log";

const page = await Bun.file(new URL("../../docs/scaling.md", import.meta.url)).text();
const statements = [...page.matchAll(/```sql\n([^`]+)```/g)].map(([, statement = ""]) => statement);

let remove: () => Promise<void>;
let storage: Storage;
let sql: SQL;

beforeAll(async () => {
  const database = await emptyDatabase();
  ({ remove } = database);
  storage = await createPostgresStorage({ url: database.url, clock: new ManualClock(), log: silentLog });
  // As an operator's psql, without our settings.
  sql = new SQL({ url: database.url, max: 1 });
});

afterAll(async () => {
  await sql.close();
  await storage.close();
  await remove();
});

test("the page on scaling has statements to watch the database with", () => {
  expect(statements).toHaveLength(5);
});

test.each(statements)("what the page says can be run: %s", async (statement) => {
  await sql.unsafe(statement);
});

test("an instance has no more connections than the page says", async () => {
  const [row] = await sql<{ connections: number }[]>`select count(*)::integer as connections from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`;
  const said = Number(/\*\*Connections\*\*: (\d+)/.exec(page)?.[1]);
  expect(row?.connections).toBeLessThanOrEqual(said);
});
