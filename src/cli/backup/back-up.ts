import { backUpDatabase } from "../../../plugins/storage/sqlite";
import type { ConfigFlags } from "../config-options";
import type { Output } from "../output";
import { sqliteDirectory, withBackupErrors } from "./sqlite-directory";

const POSTGRES =
  'Use pg_dump, which can do it while the service runs: pg_dump --format=custom --file=FILE "$STORAGE_URL"';

export function backUp(file: string, flags: ConfigFlags, output: Output): void {
  const dataDir = sqliteDirectory(flags, POSTGRES);
  output.progress(`Copying the database of ${dataDir} …`);
  const { file: made, bytes, schemaVersion } = withBackupErrors(() => backUpDatabase(dataDir, file));
  output.answer({ file: made, bytes, schema_version: schemaVersion }, () => [
    `${made}: ${bytes} bytes, schema version ${schemaVersion}.`,
    "What was committed until it began is in it. Secrets are not: keep the configuration and its secrets apart.",
  ]);
}
