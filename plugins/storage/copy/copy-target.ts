import { SQL, type ReservedSQL, type TransactionSQL } from "bun";
import { systemClock } from "../../../src/contracts/clock";
import type { Logger } from "../../../src/contracts/logger";
import { Database, sqlState } from "../postgres/database";
import { Heads } from "../postgres/heads";
import { Lanes } from "../postgres/lanes";
import { lockNumber } from "../postgres/locks";
import { JOBS_SCHEMA, migrate, SCHEMA } from "../postgres/migrations";
import { withoutPassword } from "../postgres/open-storage";
import { COPY_TABLE, hasCopyTable } from "../postgres/unfinished-copy";
import { StorageOpenError } from "../sql/storage-open-error";
import { COPIED_TABLES, type ColumnKind, type CopiedTable, type Key, type Page, type Row } from "./copied-tables";
import { CopyError } from "./copy-error";
import { TableDigest, type Digested } from "./table-digest";

/** How far a table has come; `after` is where its next page begins, and undefined at its end. */
export type Progress = { readonly rows: number; readonly after: Key | undefined };
export type Digests = Readonly<Record<string, Digested>>;
/** What is known of an earlier copy into this database. */
export type FoundCopy =
  | { readonly kind: "none" }
  | { readonly kind: "unfinished"; readonly progress: ReadonlyMap<string, Progress> }
  | { readonly kind: "finished"; readonly at: Date; readonly digests: Digests };

const COPY_LOCK = String(lockNumber("storage copy"));
const DIGESTED_AT_A_TIME = 5_000;
const LANES_AT_A_TIME = 500;

/** The Postgres that is copied into, through one connection of its own. */
export class CopyTarget {
  /** For logs and errors. */
  readonly where: string;
  readonly #url: string;
  readonly #sql: SQL;
  readonly #connection: ReservedSQL;

  private constructor(url: string, sql: SQL, connection: ReservedSQL) {
    this.where = withoutPassword(url);
    this.#url = url;
    this.#sql = sql;
    this.#connection = connection;
  }

  /**
   * Connects, makes the tables, and keeps other copies out.
   *
   * @throws CopyError when that fails, or another copy is under way; StorageOpenError when the database has a newer schema.
   */
  static async open(url: string): Promise<CopyTarget> {
    const sql = new SQL({
      url,
      adapter: "postgres",
      max: 1,
      connectionTimeout: 10,
      // What is not on the server's disk yet when it fails is copied again: `finish` waits for all of it.
      connection: { application_name: "sayna-sip storage copy", search_path: SCHEMA, synchronous_commit: "off" },
    });
    try {
      await migrate(sql);
      const connection = await sql.reserve();
      const [row] = (await connection.unsafe("select pg_try_advisory_lock($1::bigint) as locked", [COPY_LOCK])) as {
        locked: boolean;
      }[];
      if (row?.locked !== true) throw new CopyError(`Another copy into ${withoutPassword(url)} is under way.`);
      return new CopyTarget(url, sql, connection);
    } catch (error) {
      await sql.close({ timeout: 0 });
      if (error instanceof CopyError || error instanceof StorageOpenError) throw error;
      throw new CopyError(
        `The database ${withoutPassword(url)} cannot be used: ${error instanceof Error ? error.message : String(error)}. ` +
          "Look whether Postgres runs there, whether user and password are right, and whether that user may make schemas in it.",
        { cause: error },
      );
    }
  }

  async close(): Promise<void> {
    await this.#sql.close({ timeout: 0 });
  }

  async findCopy(): Promise<FoundCopy> {
    if (!(await hasCopyTable(this.#connection))) return { kind: "none" };
    const [row] = (await this.#connection.unsafe(`select finished_at, progress, digests from ${COPY_TABLE}`)) as {
      finished_at: Date | null;
      progress: string;
      digests: string | null;
    }[];
    if (row === undefined) return { kind: "none" };
    // Written by this program, so it is what it wrote.
    if (row.finished_at !== null) {
      return { kind: "finished", at: row.finished_at, digests: JSON.parse(row.digests ?? "{}") as Digests };
    }
    return {
      kind: "unfinished",
      progress: new Map(Object.entries(JSON.parse(row.progress) as Record<string, Progress>)),
    };
  }

  /**
   * From here on no service starts on this database, until the copy is finished.
   *
   * @throws CopyError when the database holds anything. Fails closed because the ids of both would be mixed up.
   */
  async begin(source: string): Promise<void> {
    await this.#connection.begin(async (tx) => {
      const full = await nonEmptyTables(tx);
      if (full.length > 0) {
        throw new CopyError(
          `${this.where} has data of its own (in ${full.join(", ")}), and only an empty database can be copied into. ` +
            `Name another one; or, if nothing of it is needed: drop schema ${SCHEMA}, ${JOBS_SCHEMA} cascade`,
        );
      }
      await tx.unsafe(`create table ${COPY_TABLE} (
        id smallint primary key check (id = 1),
        source text not null,
        started_at timestamptz not null default now(),
        finished_at timestamptz,
        progress text not null default '{}',
        digests text
      )`);
      await tx.unsafe(`insert into ${COPY_TABLE} (id, source) values (1, $1)`, [source]);
    });
  }

  /** Forgets a copy that was begun, with all that it has brought; one that is finished stays. */
  async startOver(): Promise<void> {
    await this.#connection.begin(async (tx) => {
      await tx.unsafe(`truncate ${COPIED_TABLES.map(({ name }) => name).join(", ")}`);
      const [jobs] = (await tx.unsafe("select to_regclass($1) is not null as there", [`${JOBS_SCHEMA}.job`])) as {
        there: boolean;
      }[];
      if (jobs?.there === true) await tx.unsafe(`delete from ${JOBS_SCHEMA}.job`);
      await tx.unsafe(`drop table ${COPY_TABLE}`);
    });
  }

  /** Takes back a `begin` after which nothing was written. */
  async withdraw(): Promise<void> {
    await this.#connection.unsafe(`drop table ${COPY_TABLE}`);
  }

  /** How many connections services have to this database. */
  async services(): Promise<number> {
    const [row] = (await this.#connection.unsafe(
      `select count(*)::integer as connections from pg_stat_activity
       where datname = current_database() and application_name = 'sayna-sip'`,
    )) as { connections: number }[];
    return row?.connections ?? 0;
  }

  /** Writes a page, and that it is written, in one transaction. */
  async write(table: CopiedTable, page: Page, progress: ReadonlyMap<string, Progress>): Promise<void> {
    await this.#connection.begin(async (tx) => {
      await insert(tx, table, page.rows);
      await tx.unsafe(`update ${COPY_TABLE} set progress = $1`, [JSON.stringify(Object.fromEntries(progress))]);
    });
  }

  /** Lets the ids of new rows follow on the copied ones. */
  async continueIds(table: CopiedTable, used: number): Promise<void> {
    if (table.identity === undefined) return;
    await this.#connection.unsafe("select setval(pg_get_serial_sequence($1, $2), $3, $4)", [
      `${SCHEMA}.${table.name}`,
      table.identity.column,
      Math.max(used, 1),
      used > 0,
    ]);
  }

  /** Of what the table holds now. */
  async digest({ name, columns, key }: CopiedTable): Promise<Digested> {
    const digest = new TableDigest();
    const names = Object.keys(columns);
    const keys = key.join(", ");
    const holes = key.map((_, i) => `$${i + 1}`).join(", ");
    for (let after: readonly unknown[] | undefined; ;) {
      const where = after === undefined ? "" : `where (${keys}) > (${holes})`;
      const rows = (await this.#connection.unsafe(
        `select ${names.map((column) => selected(column, columns[column])).join(", ")} from ${name} ${where}
         order by ${keys} limit ${DIGESTED_AT_A_TIME}`,
        [...(after ?? [])],
      )) as Record<string, string | number | null>[];
      for (const row of rows) {
        digest.add(
          names.map((column) => {
            const value = row[column] ?? null;
            // A `bigint` arrives as a string.
            return columns[column] === "integer" && value !== null ? Number(value) : value;
          }),
        );
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < DIGESTED_AT_A_TIME) return digest.result();
      after = key.map((column) => last[column]);
    }
  }

  /** Hands the head of each lane to pg-boss; returns how many wait. */
  async sendHeads(log: Logger): Promise<number> {
    const jobs = new Database({ url: this.#url, clock: systemClock, log, connections: 2 });
    const heads = await Heads.start(jobs.jobClient(), log);
    try {
      const lanes = new Lanes(heads, () => {});
      for (let sent = LANES_AT_A_TIME; sent === LANES_AT_A_TIME;) {
        sent = await this.#connection.begin((tx) => lanes.repair(tx, LANES_AT_A_TIME));
      }
    } finally {
      await heads.stop();
      await jobs.close();
    }
    const [row] = (await this.#connection.unsafe("select count(*)::integer as n from lanes where due is not null")) as {
      n: number;
    }[];
    return row?.n ?? 0;
  }

  /** From here on services may start. All of the copy is on the server's disk when this returns. */
  async finish(digests: Digests): Promise<void> {
    // Without it the first plans would be those for empty tables.
    for (const { name } of COPIED_TABLES) await this.#connection.unsafe(`analyze ${name}`);
    await this.#connection.begin(async (tx) => {
      await tx.unsafe("set local synchronous_commit = on");
      await tx.unsafe(`update ${COPY_TABLE} set finished_at = now(), digests = $1`, [JSON.stringify(digests)]);
    });
  }
}

async function nonEmptyTables(tx: TransactionSQL): Promise<string[]> {
  const looks = COPIED_TABLES.map(({ name }) => `select '${name}' as name where exists (select 1 from ${name})`);
  const rows = (await tx.unsafe(looks.join(" union all "))) as { name: string }[];
  return rows.map(({ name }) => name);
}

async function insert(tx: TransactionSQL, { name, columns }: CopiedTable, rows: readonly Row[]): Promise<void> {
  const names = Object.keys(columns);
  const types = { integer: "bigint", name: "text", text: "text", bytes: "text" } as const;
  const declared = names.map((column) => `"${column}" ${types[columns[column] ?? "text"]}`).join(", ");
  const read = names.map((column) => (columns[column] === "bytes" ? `decode("${column}", 'base64')` : `"${column}"`));
  const objects = rows.map((row) =>
    Object.fromEntries(
      row.map((value, i) => [names[i], value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value]),
    ),
  );
  try {
    await tx.unsafe(
      `insert into ${name} (${names.map((column) => `"${column}"`).join(", ")}) overriding system value
       select ${read.join(", ")} from json_to_recordset($1::text::json) as x (${declared})`,
      [JSON.stringify(objects)],
    );
  } catch (error) {
    throw REFERS_WRONGLY.has(sqlState(error) ?? "") ? changed(name, error) : error;
  }
}

/** Rows that are there twice, or refer to nothing, come of a source that was written to between two runs. */
const REFERS_WRONGLY = new Set(["23503", "23505"]);

function changed(table: string, cause: unknown): CopyError {
  return new CopyError(
    `Rows of ${table} do not go with what was copied before: the SQLite was written to since the copy began. ` +
      "Run it again with --restart, which begins anew.",
    { cause },
  );
}

function selected(column: string, kind: ColumnKind | undefined): string {
  return kind === "bytes" ? `encode(sha256("${column}"), 'base64') as "${column}"` : `"${column}"`;
}
