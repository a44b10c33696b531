/**
 * Run as a process of its own: opens the storage in the given directory as a user who is not root, to whom file modes do not
 * apply, and writes what came of it.
 */
import { createSqliteStorage } from "../../plugins/storage/sqlite";
import { systemClock as clock } from "../../src/contracts/clock";
import { silentLog as log } from "./silent-log";

export const NOBODY = 65_534;

if (import.meta.main) {
  const [dataDir = ""] = process.argv.slice(2);
  if (process.getuid?.() === 0) {
    process.setgid?.(NOBODY);
    process.setuid?.(NOBODY);
  }
  try {
    await createSqliteStorage({ dataDir, clock, log }).close();
    process.stdout.write("opened");
  } catch (error) {
    process.stdout.write(String(error));
  }
}
