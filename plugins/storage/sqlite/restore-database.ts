import { Database } from "bun:sqlite";
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statfsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { BackupError } from "./backup-error";
import { syncPath } from "./backup-database";
import { checkDatabase, RESTORING } from "./check-database";
import { lockDataDirectory } from "./data-lock";
import { SCHEMA_VERSION } from "./migrations";
import { DATABASE_FILE } from "./open-database";
import { StorageOpenError } from "./storage-open-error";

export type Restored = {
  readonly database: string;
  readonly schemaVersion: number;
  /** Where the database that was there is now; undefined when there was none. */
  readonly before: string | undefined;
};

/**
 * Puts a backup in the place of a data directory's database, which is kept beside it. The backup is looked at whole before, and
 * copied, so that it stays.
 *
 * @param now milliseconds since the epoch, for the name of what was there.
 * @throws BackupError when a service uses the directory, or the file is no sound database of ours, or of a newer version.
 */
export function restoreDatabase(dataDir: string, file: string, now: number): Restored {
  const source = resolve(file);
  const schemaVersion = checkBackup(source);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const unlock = lock(dataDir);
  try {
    return { ...replaceDatabase(dataDir, source, now), schemaVersion };
  } finally {
    unlock();
  }
}

function checkBackup(source: string): number {
  if (!existsSync(source)) throw new BackupError(`There is no file ${source}`);
  try {
    const found = checkDatabase(source);
    if (found.kind !== "database" || found.version === 0) throw new BackupError(`${source} is no backup: it is empty`);
    if (found.version > SCHEMA_VERSION) {
      throw new BackupError(
        `${source} has schema version ${found.version}, and this program knows ${SCHEMA_VERSION} at most`,
        "Run the version of sayna-sip that made it, or a newer one.",
      );
    }
    checkWhole(source);
    return found.version;
  } catch (error) {
    if (!(error instanceof StorageOpenError)) throw error;
    // Its advice is about a database in use.
    throw new BackupError(`${error.message.split(". ", 1)[0]}`, "Take another backup.");
  }
}

/** Every page and every index, which a start leaves out for its time. */
function checkWhole(source: string): void {
  const db = new Database(source, { readonly: true });
  try {
    const row = db.query<{ integrity_check: string }, []>("pragma integrity_check(1)").get();
    if (row?.integrity_check !== "ok") {
      throw new BackupError(
        `${source} is damaged: ${row?.integrity_check ?? "it cannot be checked"}`,
        "Take another backup.",
      );
    }
  } finally {
    db.close();
  }
}

function lock(dataDir: string): () => void {
  try {
    return lockDataDirectory(dataDir);
  } catch (error) {
    if (!(error instanceof StorageOpenError)) throw error;
    throw new BackupError(
      error.message.split(". ", 1)[0] ?? "",
      "Stop the service first; then restore, and start it again.",
    );
  }
}

/**
 * The order matters: the old database goes before its WAL, and the new one comes last, so that a new database is never beside an
 * old WAL, which SQLite would write into it. Ended between any two steps (kill -9, power loss), what is there is the old database
 * whole, or none and the new one beside its place: that the next start refuses, and running this again ends.
 */
function replaceDatabase(dataDir: string, source: string, now: number): Pick<Restored, "database" | "before"> {
  const database = join(dataDir, DATABASE_FILE);
  const restoring = `${database}${RESTORING}`;
  const { bavail, bsize } = statfsSync(dataDir);
  const { size } = statSync(source);
  if (bavail * bsize < size) throw new BackupError(`${dataDir} has no room for ${size} bytes`, "Make room.");
  copyFileSync(source, restoring);
  chmodSync(restoring, 0o600);
  syncPath(restoring);
  const aside = `${database}.before-${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "")}`;
  const was = [database, `${database}-wal`].some((path) => existsSync(path));
  moveAside(database, aside);
  moveAside(`${database}-wal`, `${aside}-wal`);
  rmSync(`${database}-shm`, { force: true });
  syncPath(dataDir);
  renameSync(restoring, database);
  syncPath(dataDir);
  return { database, before: was ? aside : undefined };
}

function moveAside(path: string, to: string): void {
  if (existsSync(path)) renameSync(path, to);
}
