import { Database } from "bun:sqlite";
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { BackupError } from "./backup-error";
import { syncPath, vacuumInto } from "./backup-database";
import { checkDatabase, RESTORING } from "./check-database";
import { LOCK_FILE, lockDataDirectory } from "./data-lock";
import { giveToOwnerOf } from "./give-to-owner";
import { SCHEMA_VERSION } from "./migrations";
import { DATABASE_FILE } from "./open-database";
import { StorageOpenError } from "../sql/storage-open-error";

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
 * @throws BackupError when a service uses the directory, or the file is no sound database of ours, or of a newer version, or
 *   one of them cannot be read or written.
 */
export function restoreDatabase(dataDir: string, file: string, now: number): Restored {
  const source = resolve(file);
  const schemaVersion = checkBackup(source);
  const unlock = takeDirectory(dataDir);
  try {
    return { ...replaceDatabase(dataDir, source, now), schemaVersion };
  } finally {
    unlock();
  }
}

function checkBackup(source: string): number {
  if (!existsSync(source)) throw new BackupError(`There is no file ${source}`);
  if (!statSync(source).isFile()) throw new BackupError(`${source} is no file`, "Name what sayna-sip backup made.");
  try {
    accessSync(source, constants.R_OK);
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
    if (error instanceof BackupError) throw error;
    if (!(error instanceof StorageOpenError)) throw new BackupError(`${source} cannot be read: ${reasonOf(error)}`);
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

function takeDirectory(dataDir: string): () => void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return lockDataDirectory(dataDir);
  } catch (error) {
    if (!(error instanceof StorageOpenError)) {
      throw new BackupError(
        `The data directory ${dataDir} cannot be used: ${reasonOf(error)}`,
        "Give data_dir (DATA_DIR) a directory that this user may write to.",
      );
    }
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
  const aside =
    asideOfEnded(database) ?? `${database}.before-${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "")}`;
  try {
    copyWhole(source, restoring);
    chmodSync(restoring, 0o600);
    giveToOwnerOf(dataDir, restoring, join(dataDir, LOCK_FILE));
    syncPath(restoring);
  } catch (error) {
    // What an earlier restore has left there is gone; without a database in its place the next start goes on refusing.
    if (existsSync(database)) rmSync(restoring, { force: true });
    throw new BackupError(`${source} could not be copied into ${dataDir}: ${reasonOf(error)}`);
  }
  const was = [database, `${database}-wal`].some((path) => existsSync(path));
  moveAside(database, aside);
  moveAside(`${database}-wal`, `${aside}-wal`);
  rmSync(`${database}-shm`, { force: true });
  syncPath(dataDir);
  renameSync(restoring, database);
  syncPath(dataDir);
  return { database, before: was ? aside : undefined };
}

/**
 * A backup is one file. What a restore has put aside, or somebody has copied after a kill -9, has its last commits in the WAL
 * beside it, which a copy of the file alone would leave out.
 */
function copyWhole(source: string, target: string): void {
  const wal = statSync(`${source}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (wal === 0) return copyFileSync(source, target);
  rmSync(target, { force: true });
  vacuumInto(source, target);
}

/**
 * Where a restore that ended between the two has put the database whose WAL is still in its place: they belong together, and one
 * without the other lacks commits. Undefined when none has; a WAL of anything else would damage what it is put beside.
 */
function asideOfEnded(database: string): string | undefined {
  if (existsSync(database) || !existsSync(`${database}-wal`) || !existsSync(`${database}${RESTORING}`))
    return undefined;
  const begin = `${basename(database)}.before-`;
  const newest = readdirSync(dirname(database))
    .filter((name) => name.startsWith(begin) && !/-(wal|shm)$/.test(name))
    .toSorted()
    .at(-1);
  const aside = newest === undefined ? undefined : join(dirname(database), newest);
  return aside === undefined || existsSync(`${aside}-wal`) ? undefined : aside;
}

function moveAside(path: string, to: string): void {
  if (existsSync(path)) renameSync(path, to);
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
