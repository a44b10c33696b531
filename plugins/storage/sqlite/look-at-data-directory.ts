import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkDatabase } from "./check-database";
import { lockHolder } from "./data-lock";
import { giveToOwnerOf } from "./give-to-owner";
import { SCHEMA_VERSION } from "./migrations";
import { DATABASE_FILE } from "./open-database";
import { StorageOpenError } from "../sql/storage-open-error";

export type DataDirectoryLook = {
  /** False: it is made at the next start. */
  readonly exists: boolean;
  /** Why it cannot be used; undefined when it can. */
  readonly unusable: string | undefined;
  readonly freeBytes: number;
  /** `process 4711`, or undefined when nobody has it. */
  readonly lockedBy: string | undefined;
  /** Why the database cannot be used, and what to do; undefined when it can, or when there is none yet. */
  readonly damage: string | undefined;
  /** Of the schema; undefined without a database. */
  readonly version: number | undefined;
};

/** Looks at a data directory as a start would, without changing anything, also while a service uses it. */
export function lookAtDataDirectory(dataDir: string): DataDirectoryLook {
  const exists = existsSync(dataDir);
  const nearest = nearestExisting(dataDir);
  const { bavail, bsize } = statfsSync(nearest);
  const look = { exists, freeBytes: bavail * bsize, lockedBy: undefined, damage: undefined, version: undefined };
  const unusable = whyUnusable(nearest) ?? whyUnwritable(join(dataDir, DATABASE_FILE));
  if (unusable !== undefined || !exists) return { ...look, unusable };
  return { ...look, unusable, lockedBy: lockHolder(dataDir), ...lookAtDatabase(join(dataDir, DATABASE_FILE)) };
}

function lookAtDatabase(file: string): Pick<DataDirectoryLook, "damage" | "version"> {
  try {
    const found = checkDatabase(file);
    if (found.kind !== "database") return { damage: undefined, version: undefined };
    const { version } = found;
    const tooNew = `${file} has schema version ${version}, and this program knows ${SCHEMA_VERSION} at most.`;
    return { damage: version > SCHEMA_VERSION ? tooNew : undefined, version };
  } catch (error) {
    if (!(error instanceof StorageOpenError)) throw error;
    return { damage: error.message, version: undefined };
  } finally {
    if (existsSync(file)) giveToOwnerOf(file, `${file}-wal`, `${file}-shm`);
  }
}

function nearestExisting(path: string): string {
  for (let at = path; ; at = dirname(at)) {
    if (existsSync(at) || dirname(at) === at) return at;
  }
}

function whyUnusable(directory: string): string | undefined {
  return statSync(directory).isDirectory() ? whyUnwritable(directory) : `${directory} is not a directory`;
}

function whyUnwritable(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  try {
    accessSync(path, constants.W_OK);
    return undefined;
  } catch {
    return `${path} may not be written by this user`;
  }
}
