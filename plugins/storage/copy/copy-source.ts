import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Database } from "bun:sqlite";
import type { Logger } from "../../../src/contracts/logger";
import { storableText, shownText } from "../postgres/storable-text";
import { HookChanges } from "../sqlite/hook-changes";
import { HookRows } from "../sqlite/hook-rows";
import { DATABASE_FILE, openDatabase } from "../sqlite/open-database";
import type { ColumnKind, CopiedTable, Key, Page, Row, Value } from "./copied-tables";
import { CopyError } from "./copy-error";
import { TableDigest, type Digested } from "./table-digest";

/** The SQLite that is copied. It is held as a service holds it, so that none runs on it meanwhile. */
export class CopySource {
  readonly #db: Database;

  private constructor(
    readonly file: string,
    readonly close: () => void,
    db: Database,
  ) {
    this.#db = db;
  }

  /**
   * @param path the data directory, or the database's file in it.
   * @throws CopyError when there is none; StorageOpenError when it is damaged, or a service runs on it. Fails closed because
   *   what a service goes on writing would be missing in the copy.
   */
  static async open(path: string, log: Logger): Promise<CopySource> {
    const file = fileAt(path);
    const { db, close } = openDatabase({ dataDir: dirname(file), log, maxPages: undefined });
    try {
      // What a crash has left of the last change of the hooks is written to their table, as a start does.
      await new HookChanges(db, new HookRows(db), log).read({ limit: 1 });
      return new CopySource(file, close, db);
    } catch (error) {
      close();
      throw error;
    }
  }

  /** How many rows there are to be copied. */
  count({ count }: CopiedTable): number {
    return this.#db.query<{ n: number }, []>(count).get()?.n ?? 0;
  }

  /** The last value that was used of the table's identity; 0 when none was. */
  used({ identity }: CopiedTable): number {
    if (identity === undefined) return 0;
    return this.#db.query<{ n: number | null }, []>(identity.used).get()?.n ?? 0;
  }

  /** An id that events of different calls have: Postgres keeps an id once. */
  doubleEventId(): string | undefined {
    return this.#db.query<{ id: string }, []>("select id from events group by id having count(*) > 1 limit 1").get()
      ?.id;
  }

  /** As Postgres is to have them; undefined at the end. */
  page(table: CopiedTable, after: Key | undefined): Page | undefined {
    const page = table.page(this.#db, after);
    if (page === undefined) return undefined;
    const kinds = Object.values(table.columns);
    return { ...page, rows: page.rows.map((row) => row.map((value, i) => storable(value, kinds[i]))) };
  }

  digest(table: CopiedTable): Digested {
    const digest = new TableDigest();
    for (let page = this.page(table, undefined); page !== undefined; page = this.page(table, page.after)) {
      for (const row of page.rows) digest.add(forDigest(row));
    }
    return digest.result();
  }
}

/** Bytes as their own digest: Postgres makes it of them itself, instead of sending them. */
function forDigest(row: Row): (string | number | null)[] {
  return row.map((value) => {
    return value instanceof Uint8Array ? createHash("sha256").update(value).digest("base64") : value;
  });
}

function storable(value: Value, kind: ColumnKind | undefined): Value {
  if (typeof value !== "string") return value;
  return kind === "name" ? storableText(value) : shownText(value);
}

function fileAt(path: string): string {
  const isDirectory = existsSync(path) && statSync(path).isDirectory();
  const file = isDirectory ? join(path, DATABASE_FILE) : path;
  if (!existsSync(file)) {
    throw new CopyError(
      `There is no ${file}. --from is the data directory (data_dir, DATA_DIR), or ${DATABASE_FILE} in it.`,
    );
  }
  if (basename(file) !== DATABASE_FILE) {
    throw new CopyError(
      `${file} is not named ${DATABASE_FILE}. Put it under that name into a directory of its own, and name the directory.`,
    );
  }
  return file;
}
