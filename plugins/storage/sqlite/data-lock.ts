import { Database } from "bun:sqlite";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { StorageOpenError } from "../sql/storage-open-error";

export const LOCK_FILE = "sayna-sip.lock";
const OWNER_FILE = "sayna-sip.pid";

/**
 * Keeps other processes out of the data directory until the returned function is called or this process ends. The lock is
 * the operating system's, through SQLite on an empty file: `kill -9` frees it, and whoever has the old process's id since
 * does not matter. The file with the process id is for the message only.
 *
 * @throws StorageOpenError when another process has the directory. Fails closed because two processes would both hand out
 * the same deliveries.
 */
export function lockDataDirectory(dataDir: string): () => void {
  const owner = join(dataDir, OWNER_FILE);
  const lock = new Database(join(dataDir, LOCK_FILE), { create: true });
  try {
    // With the journal in memory no file is made, so that a full disk does not matter.
    lock.run("pragma journal_mode = memory");
    // Whoever only looks whether it is held (`lockHolder`) has it for less than a millisecond.
    lock.run("pragma busy_timeout = 100");
    lock.run("begin exclusive");
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new StorageOpenError(
      `The data directory ${dataDir} is in use by ${readOwner(owner)}. End that process first, or give this one another ` +
        "data_dir (DATA_DIR): two at a time would send everything twice.",
    );
  }
  writeOwner(owner);
  return () => {
    removeOwner(owner);
    lock.close();
  };
}

/** Who has the data directory (`process 4711`); undefined when nobody has, or it was never used. Changes nothing. */
export function lockHolder(dataDir: string): string | undefined {
  const file = join(dataDir, LOCK_FILE);
  if (!existsSync(file)) return undefined;
  const lock = new Database(file, { readonly: true });
  try {
    lock.query("select count(*) from sqlite_schema").get();
    return undefined;
  } catch (error) {
    if (!isBusy(error)) throw error;
    return readOwner(join(dataDir, OWNER_FILE));
  } finally {
    lock.close();
  }
}

const isBusy = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "SQLITE_BUSY";

function writeOwner(file: string): void {
  const started = `${file}.new`;
  try {
    writeFileSync(started, `${process.pid} ${hostname()}\n`, { mode: 0o600 });
    renameSync(started, file);
  } catch {
    // Fails open because the lock holds; only the message to a second process lacks the id.
    removeOwner(file);
  }
}

function removeOwner(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Fails open because a wrong id in it keeps nobody out.
  }
}

function readOwner(file: string): string {
  try {
    const [, pid, host] = /^(\d+) (\S+)\n$/.exec(readFileSync(file, "utf8")) ?? [];
    if (pid !== undefined) return host === hostname() ? `process ${pid}` : `process ${pid} on ${host}`;
  } catch {
    // It says only who, and is not always there.
  }
  return "another process";
}
