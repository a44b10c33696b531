import { SQL } from "bun";
import type { Config } from "../../plugins/config-loader";
import { lookAtDataDirectory, type DataDirectoryLook } from "../../plugins/storage/sqlite";
import type { StorageHolder } from "./check-service";
import { ok, problem, skipped, warning, type Finding } from "./finding";

export type StorageState = { readonly findings: readonly Finding[]; readonly holder: StorageHolder };

/** Looks at the storage that the configuration names, from outside. */
export async function checkStorage({ storage, data_dir: dataDir }: Config): Promise<StorageState> {
  const unknown = { kind: "unknown" } as const;
  if (typeof storage !== "string") {
    return { findings: [await checkPostgres(storage.postgres.reveal())], holder: unknown };
  }
  if (storage !== "sqlite") {
    const what = `The storage ${storage} is a plugin's: only the plugin can look at it.`;
    return { findings: [skipped("storage", what)], holder: unknown };
  }
  const look = lookAtDataDirectory(dataDir);
  const { lockedBy } = look;
  const holder =
    lockedBy === undefined ? ({ kind: "nobody" } as const) : ({ kind: "process", name: lockedBy } as const);
  return { findings: judgeDataDirectory(dataDir, look), holder };
}

const MIB = 1024 * 1024;
/** The ballast (16 MiB) is made while twice its size is free. */
const TOO_LITTLE = 32 * MIB;
const LITTLE = 512 * MIB;

export function judgeDataDirectory(dataDir: string, look: DataDirectoryLook): readonly Finding[] {
  if (look.unusable !== undefined) {
    return [
      problem("storage", "storage_unusable", {
        what: `The data directory ${dataDir} cannot be used: ${look.unusable}.`,
        why: "The service does not start without it; what it cannot keep, it does not take.",
        mend: "Make it writable for the service's user, or set DATA_DIR (data_dir).",
      }),
    ];
  }
  const damaged =
    look.damage === undefined
      ? []
      : [
          problem("storage", "storage_damaged", {
            what: look.damage,
            why: "The service does not start with it, so that nothing of it is lost.",
            mend: "Put back a backup: sayna-sip restore FILE; or do as it says above.",
          }),
        ];
  const inUse = look.lockedBy === undefined ? "nobody uses it" : `${look.lockedBy} uses it`;
  const room = judgeRoom(dataDir, look.freeBytes);
  if (damaged.length > 0 || room !== undefined) return [...damaged, ...(room === undefined ? [] : [room])];
  const state = look.exists ? `can be written, ${inUse}` : "is not there yet, and will be made";
  return [
    ok("storage", "storage_right", `The data directory ${dataDir} ${state}; ${sizeOf(look.freeBytes)} are free.`),
  ];
}

function judgeRoom(dataDir: string, freeBytes: number): Finding | undefined {
  if (freeBytes >= LITTLE) return undefined;
  const what = `The disk of ${dataDir} has ${sizeOf(freeBytes)} free.`;
  const why = "On a full disk events cannot be kept: they are answered 503, and LiveKit gives up after 26 s.";
  const mend = "Make room, or set retention.max_size (RETENTION_MAX_SIZE) lower.";
  return freeBytes < TOO_LITTLE
    ? problem("storage", "disk_full", { what, why, mend })
    : warning("storage", "disk_nearly_full", { what, why, mend });
}

const sizeOf = (bytes: number): string =>
  bytes < 10 * 1024 * MIB ? `${Math.floor(bytes / MIB)} MiB` : `${Math.floor(bytes / MIB / 1024)} GiB`;

async function checkPostgres(url: string): Promise<Finding> {
  const { hostname, pathname } = new URL(url);
  const name = `Postgres ${hostname}${pathname}`;
  const sql = new SQL(url, { max: 1, connectionTimeout: 5 });
  try {
    const rows: unknown = await sql`select pg_is_in_recovery() as standby`;
    const [row] = rows as readonly { readonly standby: boolean }[];
    if (row?.standby !== true) return ok("storage", "storage_right", `${name} answers and can be written.`);
    return problem("storage", "storage_unusable", {
      what: `${name} is a standby: it can only be read.`,
      why: "Nothing can be kept, and what cannot be kept is answered 503.",
      mend: "Let STORAGE_URL (storage) name the primary.",
    });
  } catch (error) {
    // Postgres's own words may have the URL in them; the code says enough.
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    return problem("storage", "storage_unusable", {
      what: `${name} cannot be used: ${code}.`,
      why: "Nothing can be kept, and what cannot be kept is answered 503.",
      mend: "Check STORAGE_URL (storage), that Postgres runs, and that its user may connect.",
    });
  } finally {
    await sql.close();
  }
}
