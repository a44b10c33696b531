import type { SQL, TransactionSQL } from "bun";
import { StorageOpenError } from "../sql/storage-open-error";
import { SCHEMA } from "./migrations";

/**
 * What says how far a copy of another storage into this database has come: made by the copy, in no migration. It stays
 * when the copy is finished, so that a second one finds that there is nothing to do.
 */
export const COPY_TABLE = `${SCHEMA}.storage_copy`;

/** @throws StorageOpenError while a copy is not finished. Fails closed because what it still brings would be in the way. */
export async function refuseUnfinishedCopy(sql: SQL): Promise<void> {
  if (!(await hasCopyTable(sql))) return;
  const [copy] = (await sql.unsafe(`select source from ${COPY_TABLE} where finished_at is null`)) as {
    source: string;
  }[];
  if (copy === undefined) return;
  throw new StorageOpenError(
    `The copy of ${copy.source} into this database is not finished. Run the same sayna-sip storage copy again; ` +
      "it goes on where it was.",
  );
}

export async function hasCopyTable(sql: Pick<SQL | TransactionSQL, "unsafe">): Promise<boolean> {
  const [row] = (await sql.unsafe("select to_regclass($1) is not null as there", [COPY_TABLE])) as { there: boolean }[];
  return row?.there === true;
}
