import { Database } from "bun:sqlite";
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statfsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { checkDatabase } from "./check-database";
import { BackupError } from "./backup-error";
import { giveToOwnerOf } from "./give-to-owner";
import { DATABASE_FILE } from "./open-database";
import { StorageOpenError } from "../sql/storage-open-error";

export type Backup = {
  /** Absolute. */
  readonly file: string;
  readonly bytes: number;
  readonly schemaVersion: number;
};

/**
 * Copies the database of a data directory into a file, also while a service uses it: one read transaction, beside which it
 * commits on, and what was committed until it began is in the copy. Until it ends the WAL grows by what is committed meanwhile.
 * The file is there whole, on disk, or not at all.
 *
 * @throws BackupError when there is no sound database, the file is there already, or the disk has no room. Fails closed: what
 *   is there already may be the last good backup.
 */
export function backUpDatabase(dataDir: string, file: string): Backup {
  const target = resolve(file);
  const source = join(dataDir, DATABASE_FILE);
  if (existsSync(target)) throw new BackupError(`${target} is there already`, "Name a new file, or remove that one.");
  const schemaVersion = versionOf(source, dataDir);
  const directory = dirname(target);
  if (!existsSync(directory)) throw new BackupError(`There is no directory ${directory}`, "Make it first.");
  const { bavail, bsize } = statfsSync(directory);
  const needed = statSync(source).size;
  if (bavail * bsize < needed) {
    throw new BackupError(
      `${directory} has ${bavail * bsize} bytes free, and up to ${needed} are needed`,
      "Make room.",
    );
  }
  const partial = `${target}.partial`;
  try {
    rmSync(partial, { force: true });
    // VACUUM INTO takes an empty file, too; callers' numbers and tenants' URLs are in it, so that only its owner may read it.
    closeSync(openSync(partial, "wx", 0o600));
    vacuumInto(source, partial);
    // SQLite writes it without a sync.
    syncPath(partial);
    renameSync(partial, target);
    syncPath(directory);
  } catch (error) {
    rmSync(partial, { force: true });
    throw new BackupError(`${target} could not be written: ${error instanceof Error ? error.message : String(error)}`);
  }
  return { file: target, bytes: statSync(target).size, schemaVersion };
}

function versionOf(source: string, dataDir: string): number {
  try {
    const found = checkDatabase(source);
    if (found.kind === "database") return found.version;
  } catch (error) {
    if (error instanceof StorageOpenError) throw new BackupError(error.message);
    throw new BackupError(
      `${source} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      "Is data_dir (DATA_DIR) right, and may this user read it?",
    );
  }
  throw new BackupError(
    `There is no database in ${dataDir}`,
    "Is that the data directory (data_dir, DATA_DIR) of the service?",
  );
}

/** Writes what the database holds, what is in its WAL only included, into a file that is empty or not there. Without a sync. */
export function vacuumInto(source: string, target: string): void {
  const db = new Database(source, { readonly: true });
  try {
    db.run("pragma busy_timeout = 5000");
    db.query("vacuum into ?").run(target);
  } finally {
    db.close();
    giveToOwnerOf(source, `${source}-wal`, `${source}-shm`);
  }
}

/** A file, or a directory's entries. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
