import { Database } from "bun:sqlite";
import { join } from "node:path";
import { DATABASE_FILE } from "../../plugins/storage/sqlite";

export type Statement = {
  readonly operation: "insert" | "update" | "delete";
  readonly table: string;
  /** SQL: for which rows; all of them without it. */
  readonly when?: string;
};

/**
 * Makes a statement fail in a database that another connection is using, as a write error would: SQLite gives the statement
 * up, and the transaction is rolled back. The returned function ends it.
 */
export function failStatement(dataDir: string, { operation, table, when }: Statement): () => void {
  const db = new Database(join(dataDir, DATABASE_FILE));
  db.run("pragma busy_timeout = 2000");
  db.run(
    `create trigger injected before ${operation} on ${table} ${when === undefined ? "" : `when ${when} `}begin select raise(abort, 'injected write error'); end`,
  );
  return () => {
    db.run("drop trigger injected");
    db.close();
  };
}
