import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSqliteStorage } from "../../../plugins/storage/sqlite";
import { testHistory } from "../../../src/contracts/testing/history-suite";
import { ManualClock } from "../../support/manual-clock";
import { silentLog } from "../../support/silent-log";

testHistory("SQLite storage's history", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "sayna-sip-"));
  return {
    open: async () => createSqliteStorage({ dataDir, clock: new ManualClock(), log: silentLog }),
    remove: () => rm(dataDir, { recursive: true }),
  };
});
