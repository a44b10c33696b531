import { SQL, type TransactionSQL } from "bun";
import { StorageOpenError } from "../../sql/storage-open-error";
import { firstTables } from "./0001-first-tables";

export type Migration = {
  readonly statements: string;
  /** The least schema version whose program goes on working with a database that this migration has changed. */
  readonly worksWith: number;
};

/**
 * Each one makes the schema of its version (1, 2, …) from the one before; what has been released is never changed.
 *
 * In a rolling upgrade the first new instance migrates while those of the last version go on: a migration only adds (tables,
 * columns with a default, indexes), and what it makes superfluous is removed by the migration of a later version.
 * `worksWith` is then the last version's number, which lets its instances also restart meanwhile; a migration that breaks
 * with it says its own number, and is a release that asks for a stop.
 */
export const MIGRATIONS: readonly Migration[] = [{ statements: firstTables, worksWith: 1 }];

/** Version of the schema that this program works with. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** Of our tables. */
export const SCHEMA = "sayna_sip";
/** Of pg-boss's tables, which it makes and migrates itself. */
export const JOBS_SCHEMA = "sayna_sip_jobs";

/** An advisory lock's number: of the program that migrates. */
const MIGRATION_LOCK = "x'7361796e61'::bigint";

/** A migration waits so long for a table that is in use, and then lets the others pass, for so long, so many times. */
const LOCK_MS = 100;
const PAUSE_MS = 200;
const RUNS = 100;
/** `lock_not_available`, and `deadlock_detected`. */
const IN_USE = new Set(["55P03", "40P01"]);

const SETUP = `
create table if not exists ${SCHEMA}.migrations (
  version integer primary key,
  works_with integer not null,
  at timestamptz not null default now()
)`;

/**
 * Brings the database to the schema that this program works with: by one instance, while the others wait, all of it in one
 * transaction. Returns the versions before and after.
 *
 * @throws StorageOpenError when a newer program has changed it so that this one cannot work with it. Fails closed because
 * what it wrote could be read wrongly.
 */
export async function migrate(
  sql: SQL,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<{ readonly from: number; readonly to: number }> {
  const found = await readVersion(sql);
  if (found !== undefined && found.version >= migrations.length) return accept(found, migrations.length);
  for (let left = RUNS; ; left--) {
    try {
      return await sql.begin((tx) => migrateOnce(tx, migrations));
    } catch (error) {
      const busy = error instanceof SQL.PostgresError && IN_USE.has(error.errno ?? "");
      if (!busy || left === 0) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * (0.5 + Math.random())));
  }
}

async function migrateOnce(tx: TransactionSQL, migrations: readonly Migration[]) {
  await tx.unsafe("set local statement_timeout = 0; set local lock_timeout = 0");
  await tx.unsafe(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
  for (const schema of [SCHEMA, JOBS_SCHEMA]) {
    // `if not exists` asks for the right to make schemas even when it is there.
    const [row] = await tx.unsafe("select to_regnamespace($1) is not null as there", [schema]);
    if (row?.there !== true) await tx.unsafe(`create schema ${schema}`);
  }
  await tx.unsafe(SETUP);
  const now = (await readVersion(tx)) ?? { version: 0, worksWith: 0 };
  if (now.version >= migrations.length) return accept(now, migrations.length);
  if (now.version > 0) await lockTables(tx);
  for (const [i, { statements, worksWith }] of migrations.entries()) {
    if (i < now.version) continue;
    await tx.unsafe(statements);
    await tx.unsafe(`insert into ${SCHEMA}.migrations (version, works_with) values ($1, $2)`, [i + 1, worksWith]);
  }
  return { from: now.version, to: migrations.length };
}

/**
 * Holds all tables before anything is changed. Taken one by one meanwhile they would wait in a circle with the transactions of
 * instances at work, of which Postgres ends one after its `deadlock_timeout`, 1 s: here it is always the migration that
 * gives way, before that.
 */
async function lockTables(tx: TransactionSQL): Promise<void> {
  const tables = (await tx.unsafe(
    "select format('%I.%I', schemaname, tablename) as name from pg_tables " +
      // That one is read by the others that start.
      "where schemaname = $1 and tablename <> 'migrations' order by tablename",
    [SCHEMA],
  )) as { name: string }[];
  await tx.unsafe(`set local lock_timeout = ${LOCK_MS}`);
  await tx.unsafe(`lock table ${tables.map(({ name }) => name).join(", ")} in access exclusive mode`);
}

type Found = { readonly version: number; readonly worksWith: number };

async function readVersion(sql: SQL | TransactionSQL): Promise<Found | undefined> {
  const [there] = await sql.unsafe("select to_regclass($1) is not null as there", [`${SCHEMA}.migrations`]);
  if (there?.there !== true) return undefined;
  const [row] = await sql.unsafe(`select version, works_with from ${SCHEMA}.migrations order by version desc limit 1`);
  return row === undefined ? undefined : { version: Number(row.version), worksWith: Number(row.works_with) };
}

function accept({ version, worksWith }: Found, own: number): { from: number; to: number } {
  if (worksWith > own) {
    throw new StorageOpenError(
      `The database has schema version ${version}, which works with programs of schema version ${worksWith} or newer, and ` +
        `this one knows ${own}. Run the version of sayna-sip that migrated it, or a newer one.`,
    );
  }
  return { from: version, to: version };
}
