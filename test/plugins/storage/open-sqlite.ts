import { createSqliteStorage } from "../../../plugins/storage/sqlite";
import type { Storage } from "../../../src/contracts/storage";
import { ManualClock } from "../../support/manual-clock";
import { silentLog } from "../../support/silent-log";

/** Opens SQLite in this directory: what the processes of `testCrashes` run. */
export default async function openSqlite(dataDir: string): Promise<Storage> {
  return createSqliteStorage({ dataDir, clock: new ManualClock(), log: silentLog, ballast: 65_536 });
}
