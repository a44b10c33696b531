import { Database } from "bun:sqlite";
import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../../../src/contracts/logger";
import { removeBallast } from "./ballast";
import { checkDatabase } from "./check-database";
import { lockDataDirectory } from "./data-lock";
import { migrate, SCHEMA_VERSION } from "./migrations";
import { StorageOpenError } from "../sql/storage-open-error";
import { isDiskFull } from "./write-guard";

/** The database's file in the data directory. */
export const DATABASE_FILE = "sayna-sip.db";

/** Of pages in memory: with SQLite's 2 MiB the index of the event ids alone would not fit after a day. */
const CACHE_KIB = 16 * 1024;

export type OpenOptions = {
  readonly dataDir: string;
  readonly log: Logger;
  readonly maxPages: number | undefined;
};

export type OpenDatabase = { readonly db: Database; readonly close: () => void };

/**
 * Opens the database, and makes it in an empty directory, which no other process may be using. WAL with `synchronous = FULL`:
 * a commit is on disk when it returns, also through a power loss.
 *
 * @throws StorageOpenError when the directory or the file cannot be used. Fails closed because a service that cannot keep
 * events must not take them.
 */
export function openDatabase(options: OpenOptions): OpenDatabase {
  const { dataDir } = options;
  let unlock = () => {};
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    // SQLite opens what may only be read all the same, and even takes its exclusive lock for a shared one.
    accessSync(dataDir, constants.W_OK);
    if (existsSync(join(dataDir, DATABASE_FILE))) accessSync(join(dataDir, DATABASE_FILE), constants.W_OK);
    unlock = lockDataDirectory(dataDir);
    const db = openWithRoom(options);
    return {
      db,
      close: () => {
        db.close();
        unlock();
      },
    };
  } catch (error) {
    unlock();
    if (error instanceof StorageOpenError) throw error;
    throw new StorageOpenError(
      `The data directory ${dataDir} cannot be used: ${error instanceof Error ? error.message : String(error)}. ` +
        "Give data_dir (DATA_DIR) a directory that this user may write to, on a disk with free space.",
      { cause: error },
    );
  }
}

/** On a full disk the ballast of the last run makes the room that a migration needs. */
function openWithRoom(options: OpenOptions): Database {
  try {
    return openSound(options);
  } catch (error) {
    if (!isDiskFull(error) || !removeBallast(options.dataDir)) throw error;
    return openSound(options);
  }
}

function openSound({ dataDir, log, maxPages }: OpenOptions): Database {
  const file = join(dataDir, DATABASE_FILE);
  const found = checkDatabase(file);
  if (found.kind === "empty") log.warn({ file }, "The database was an empty file; it begins anew");
  const version = found.kind === "database" ? found.version : 0;
  if (version > SCHEMA_VERSION) {
    throw new StorageOpenError(
      `${file} has schema version ${version}, and this program knows ${SCHEMA_VERSION} at most. ` +
        "Run the version of sayna-sip that wrote it, or a newer one.",
    );
  }
  const db = new Database(file, { create: true, strict: true });
  try {
    // Before the first table, or it has no effect: the file can shrink after retention.
    db.run("pragma auto_vacuum = incremental");
    db.run("pragma journal_mode = wal");
    db.run("pragma synchronous = full");
    db.run("pragma foreign_keys = on");
    db.run("pragma busy_timeout = 1000");
    db.run(`pragma cache_size = -${CACHE_KIB}`);
    if (maxPages !== undefined) db.run(`pragma max_page_count = ${maxPages}`);
    if (version < SCHEMA_VERSION) {
      if (version > 0) log.info({ from: version, to: SCHEMA_VERSION }, "The database is brought to a newer schema");
      bring(db, version, file);
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * No copy is made before: it would cost as much disk again and hold up the port meanwhile, and a migration is one
 * transaction, which leaves the old version as it was when anything fails.
 */
function bring(db: Database, from: number, file: string): void {
  try {
    migrate(db, from);
  } catch (error) {
    if (from === 0 || isDiskFull(error)) throw error;
    throw new StorageOpenError(
      `${file} could not be brought from schema version ${from} to ${SCHEMA_VERSION}: ` +
        `${error instanceof Error ? error.message : String(error)}. It was left as it is; the version of sayna-sip that ` +
        "wrote it can go on with it.",
      { cause: error },
    );
  }
}

/** The number that a pragma of this connection reports. */
export function readPragma(db: Database, name: "synchronous"): number {
  const row: unknown = db.query(`pragma ${name}`).get();
  const value: unknown = typeof row === "object" && row !== null ? Object.values(row)[0] : undefined;
  return typeof value === "number" ? value : -1;
}
