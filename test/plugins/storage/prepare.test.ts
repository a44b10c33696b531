import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { plannedOnce, prepare } from "../../../plugins/storage/sqlite/prepare";

test.each([
  ["select a from t where b = ? and c > ?", "select a from t where b = +? and c > +?"],
  ["values (?1, ?2, ?12)", "values (+?1, +?2, +?12)"],
  ["where $tenant is null or d.tenant = $tenant", "where +$tenant is null or d.tenant = +$tenant"],
  ["(made_at, id) < ($at, $id) limit ?", "(made_at, id) < (+$at, +$id) limit +?"],
  ["select count(*) from t", "select count(*) from t"],
])("%s: SQLite looks at no value when it plans", (sql, expected) => {
  expect(plannedOnce(sql)).toBe(expected);
});

test("values come through as they are, of each type, and find what is stored", () => {
  const db = new Database(":memory:");
  db.run("create table t (id integer primary key, i integer, t text, b blob) strict; create index by_text on t (t)");
  const add = prepare<unknown, [number | null, string | null, Uint8Array | null]>(
    db,
    "insert into t (i, t, b) values (?, ?, ?)",
  );
  add.run(7, "007", new Uint8Array([0, 255]));
  add.run(null, null, null);
  const find = prepare<{ i: number; t: string; b: Uint8Array }, [string]>(db, "select i, t, b from t where t = ?");
  expect(find.all("007")).toEqual([{ i: 7, t: "007", b: new Uint8Array([0, 255]) }]);
  expect(find.all("7")).toEqual([]);
  expect(prepare<{ n: number }, []>(db, "select count(*) as n from t where t is null").get()?.n).toBe(1);
  db.close();
});
