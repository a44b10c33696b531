import { restoreDatabase } from "../../../plugins/storage/sqlite";
import type { ConfigFlags } from "../config-options";
import type { Output } from "../output";
import { sqliteDirectory, withBackupErrors } from "./sqlite-directory";

const POSTGRES =
  'Stop the service, and use pg_restore: pg_restore --clean --if-exists --single-transaction --dbname="$STORAGE_URL" FILE';

export function restore(file: string, flags: ConfigFlags, output: Output): void {
  const dataDir = sqliteDirectory(flags, POSTGRES);
  output.progress(`Looking at ${file} …`);
  const { database, schemaVersion, before } = withBackupErrors(() => restoreDatabase(dataDir, file, Date.now()));
  output.answer({ database, schema_version: schemaVersion, ...(before === undefined ? {} : { before }) }, () => [
    `${database} is the backup now, of schema version ${schemaVersion}.`,
    ...(before === undefined ? [] : [`What was there is ${before}: remove it when you need it no more.`]),
    "At the next start what was pending in the backup is sent again, with the same webhook-ids.",
  ]);
}
