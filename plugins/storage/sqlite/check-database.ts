import { Database } from "bun:sqlite";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { migrate, SCHEMA_VERSION } from "./migrations";
import { StorageOpenError } from "../sql/storage-open-error";

/**
 * Up to this size every page is looked at: 0.7 s with the file in the page cache (measured: 2.5 s per GB), more from a cold
 * disk, and the port is closed meanwhile, for which LiveKit has 15 s of patience. Above it only the tables that are always
 * small are, and what is wrong elsewhere shows when it is read: the write or read fails, and nothing is acknowledged.
 */
const WHOLE_CHECK_BYTES = 256 * 1024 * 1024;
const SMALL_TABLES = ["hooks", "hook_changes", "known_hooks", "paused_hooks"];
const HEADER_BYTES = 100;
/** What is being put in the database's place has this behind its name. */
export const RESTORING = ".restoring";
const MAGIC = "SQLite format 3\0";

export type Checked = { readonly kind: "none" | "empty" } | { readonly kind: "database"; readonly version: number };

/**
 * Looks whether the file is a sound database of ours, without writing to it or to its WAL: a read-only connection makes no
 * checkpoint, neither when it opens nor when it closes.
 *
 * @throws StorageOpenError when it is not. Fails closed because what is in a damaged file may still be rescued, as long as
 * nobody writes to it.
 */
export function checkDatabase(file: string): Checked {
  const size = sizeOf(file);
  const wal = sizeOf(`${file}-wal`) ?? 0;
  if (size === undefined && sizeOf(`${file}${RESTORING}`) !== undefined) throw restoreEnded(file);
  // SQLite deletes a WAL whose database is empty, and with it the events that are only there.
  if ((size ?? 0) === 0 && wal > 0)
    throw damaged(file, `it is ${size === 0 ? "empty" : "missing"}, and its WAL is not`);
  if (size === undefined) return { kind: "none" };
  if (size === 0) return { kind: "empty" };
  const promised = promisedBytes(file);
  if (promised === undefined) throw damaged(file, "it is not an SQLite database");
  // With a WAL the size is right only after the next checkpoint.
  if (wal === 0 && size < promised) throw damaged(file, `it has ${size} bytes of ${promised}`);
  return { kind: "database", version: readVersion(file, size) };
}

function readVersion(file: string, size: number): number {
  let db: Database | undefined;
  try {
    db = new Database(file, { readonly: true });
    const version = numberOf(db.query("pragma user_version").get());
    const names = namesIn(db);
    if (version === 0 && names.length > 0) throw damaged(file, "it is the database of another program");
    if (version === SCHEMA_VERSION) {
      const there = new Set(names);
      const missing = expectedNames().filter((name) => !there.has(name));
      if (missing.length > 0) throw damaged(file, `it lacks ${missing.join(", ")}`);
    }
    for (const check of checksFor(size, names)) {
      const problem = textOf(db.query(check).get());
      if (problem !== "ok") throw damaged(file, problem.replace(/^\*\*\*.*\n/, ""));
    }
    return version;
  } catch (error) {
    if (isDamage(error)) throw damaged(file, error.message);
    throw error;
  } finally {
    db?.close();
  }
}

function checksFor(size: number, names: readonly string[]): readonly string[] {
  if (size <= WHOLE_CHECK_BYTES) return ["pragma quick_check(1)"];
  return SMALL_TABLES.filter((name) => names.includes(name)).map((name) => `pragma quick_check(${name})`);
}

function namesIn(db: Database): string[] {
  const query = db.query<{ name: string }, []>("select name from sqlite_schema where name not like 'sqlite_%'");
  return query.all().map(({ name }) => name);
}

function expectedNames(): string[] {
  const db = new Database(":memory:");
  try {
    migrate(db, 0);
    return namesIn(db);
  } finally {
    db.close();
  }
}

/** How long the file must be by its header; undefined when it has none. See https://www.sqlite.org/fileformat.html. */
function promisedBytes(file: string): number | undefined {
  const header = Buffer.alloc(HEADER_BYTES);
  const descriptor = openSync(file, "r");
  try {
    if (readSync(descriptor, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) return undefined;
  } finally {
    closeSync(descriptor);
  }
  if (header.toString("latin1", 0, MAGIC.length) !== MAGIC) return undefined;
  const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  return header.readUInt32BE(28) * pageSize;
}

function sizeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.size;
}

function isDamage(error: unknown): error is Error {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT_READ)/.test(code);
}

function damaged(file: string, why: string): StorageOpenError {
  return new StorageOpenError(
    `${file} cannot be used: ${why}. Nothing was written to it. Keep a copy of it and of ${file}-wal, if that is there. ` +
      `Then put back a backup; or rescue what can be read with: sqlite3 ${file} .recover | sqlite3 recovered.db ` +
      "and put recovered.db in its place, unless it is empty (some sqlite3 cannot recover: take sqlite.org's); or move both files away to begin with an empty database.",
  );
}

/** Fails closed because the service would begin with an empty database, beside the one that was moved away and the one to come. */
function restoreEnded(file: string): StorageOpenError {
  return new StorageOpenError(
    `${file} is missing, because a restore ended before it was done. Nothing is lost: run sayna-sip restore again.`,
  );
}

function numberOf(row: unknown): number {
  return Number(textOf(row));
}

function textOf(row: unknown): string {
  return typeof row === "object" && row !== null ? String(Object.values(row)[0]) : "";
}
