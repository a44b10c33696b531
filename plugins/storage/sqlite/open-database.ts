import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createTables, SCHEMA_VERSION } from "./schema";

/** The database cannot be used; the message says why and what to do. */
export class StorageOpenError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StorageOpenError";
  }
}

/** The database's file in the data directory. */
export const DATABASE_FILE = "sayna-sip.db";

/**
 * Opens the database, and makes it in an empty directory. WAL with `synchronous = FULL`: a commit is on disk when it
 * returns, also through a power loss.
 *
 * @throws StorageOpenError when the directory or the file cannot be used. Fails closed because a service that cannot keep
 * events must not take them.
 */
export function openDatabase(dataDir: string): Database {
  const file = join(dataDir, DATABASE_FILE);
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const db = new Database(file, { create: true, strict: true });
    // Before the first table, or it has no effect: the file can shrink after retention.
    db.run("pragma auto_vacuum = incremental");
    db.run("pragma journal_mode = wal");
    db.run("pragma synchronous = full");
    db.run("pragma foreign_keys = on");
    db.run("pragma busy_timeout = 1000");
    prepare(db, file);
    return db;
  } catch (error) {
    if (error instanceof StorageOpenError) throw error;
    throw new StorageOpenError(
      `The data directory ${dataDir} cannot be used: ${error instanceof Error ? error.message : String(error)}. ` +
        "Give data_dir (DATA_DIR) a directory that this user may write to, on a disk with free space.",
      { cause: error },
    );
  }
}

function prepare(db: Database, file: string): void {
  const version = readPragma(db, "user_version");
  if (version === 0) return createTables(db);
  if (version !== SCHEMA_VERSION) {
    throw new StorageOpenError(
      `${file} has schema version ${version}, and this program knows ${SCHEMA_VERSION}. ` +
        "Run the version of sayna-sip that wrote it, or a newer one.",
    );
  }
}

/** The number that a pragma of this connection reports. */
export function readPragma(db: Database, name: "user_version" | "synchronous"): number {
  const row: unknown = db.query(`pragma ${name}`).get();
  const value: unknown = typeof row === "object" && row !== null ? Object.values(row)[0] : undefined;
  return typeof value === "number" ? value : -1;
}
