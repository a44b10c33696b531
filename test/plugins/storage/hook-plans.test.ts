import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { HookChangeLog } from "../../../plugins/storage/sqlite/hook-change-log";
import { HookRows } from "../../../plugins/storage/sqlite/hook-rows";
import { migrate } from "../../../plugins/storage/sqlite/migrations";

test("no statement of a change of hooks reads a whole table, or sorts what it reads", () => {
  const db = new Database(":memory:");
  migrate(db, 0);
  const prepared: string[] = [];
  const recording = Object.assign(Object.create(db) as Database, {
    query: (sql: string) => {
      prepared.push(sql);
      return db.query(sql);
    },
    transaction: db.transaction.bind(db),
  });
  const log = new HookChangeLog(recording, new HookRows(recording));
  expect(log.newest()).toBe(0);
  expect(prepared.length).toBeGreaterThan(12);
  const details = prepared.flatMap((sql) =>
    db
      .query<{ detail: string }, []>(`explain query plan ${sql}`)
      .all()
      .map(({ detail }) => `${detail}: ${sql}`),
  );
  // The first row, or the last one, of a table in its own order.
  const whole = details.filter((detail) => detail.startsWith("SCAN ") && !detail.endsWith("limit 1"));
  expect(whole).toEqual([]);
  expect(details.filter((detail) => detail.includes("TEMP B-TREE"))).toEqual([]);
  db.close();
});
