import { Database } from "bun:sqlite";
import { join } from "node:path";
import { DATABASE_FILE } from "../../plugins/storage/sqlite";
import { isDiskFull } from "../../plugins/storage/sqlite/write-guard";

/** Larger than what is left in a whole test database; each failure halves it. */
const LARGEST_BLOB = 256 * 4096;
/** Fills one page of 4 KiB and no other. */
const SMALLEST_BLOB = 4_000;

/**
 * Somebody else who uses up the room of a storage with `maxPages` while the storage is in use, and gives it back: to the
 * storage a disk that fills and has room again.
 */
export function fillDatabase(dataDir: string, maxPages: number) {
  const db = new Database(join(dataDir, DATABASE_FILE));
  db.run("pragma busy_timeout = 2000");
  db.run("pragma synchronous = off");
  db.run(`pragma max_page_count = ${maxPages}`);
  db.run("create table if not exists somebody_elses (bytes blob)");

  function take(bytes: number): boolean {
    try {
      db.run("insert into somebody_elses (bytes) values (zeroblob(?))", [bytes]);
      return true;
    } catch (error) {
      if (isDiskFull(error)) return false;
      throw error;
    }
  }

  return {
    /** Takes every page that is free now. */
    fill(): void {
      for (let bytes = LARGEST_BLOB; bytes >= SMALLEST_BLOB; bytes = Math.floor(bytes / 2)) while (take(bytes));
      while (take(SMALLEST_BLOB));
    },
    /** Gives all of it back. */
    empty(): void {
      db.run("delete from somebody_elses");
    },
    close: () => db.close(),
  };
}
