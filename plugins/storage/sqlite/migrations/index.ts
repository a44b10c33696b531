import type { Database } from "bun:sqlite";
import { firstTables } from "./0001-first-tables";
import { history } from "./0002-history";
import { retention } from "./0003-retention";
import { fewerPages } from "./0004-fewer-pages";
import { hookChanges } from "./0005-hook-changes";

/** Each one makes the schema of its version (1, 2, …) from the one before; what has been released is never changed. */
export const MIGRATIONS: readonly string[] = [firstTables, history, retention, fewerPages, hookChanges];

/** Version of the schema that this program works with, in `PRAGMA user_version`. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** Brings a database of this version to the one that this program works with, in one transaction: all of it or nothing. */
export function migrate(db: Database, from: number): void {
  // A table that others refer to can be made anew only without the check, which is made up for at the end.
  db.run("pragma foreign_keys = off");
  db.transaction(() => {
    for (const migration of MIGRATIONS.slice(from)) db.run(migration);
    const broken = db.query("pragma foreign_key_check").all();
    if (broken.length > 0) throw new Error(`${broken.length} rows refer to nothing`);
    db.run(`pragma user_version = ${SCHEMA_VERSION}`);
  }).immediate();
  db.run("pragma foreign_keys = on");
}
