import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSqliteStorage } from "../../../plugins/storage/sqlite";
import { testStorage } from "../../../src/contracts/testing/storage-suite";
import { testUpkeep } from "../../../src/contracts/testing/upkeep-suite";
import { ManualClock } from "../../support/manual-clock";
import { silentLog } from "../../support/silent-log";

async function create() {
  const dataDir = await mkdtemp(join(tmpdir(), "sayna-sip-"));
  return {
    open: async () => createSqliteStorage({ dataDir, clock: new ManualClock(), log: silentLog, ballast: 65_536 }),
    remove: () => rm(dataDir, { recursive: true }),
  };
}

testStorage("SQLite storage", create);
testUpkeep("SQLite storage's upkeep", create);
