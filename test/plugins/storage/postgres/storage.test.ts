import { createPostgresStorage } from "../../../../plugins/storage/postgres";
import { testStorage } from "../../../../src/contracts/testing/storage-suite";
import { ManualClock } from "../../../support/manual-clock";
import { emptyDatabase } from "../../../support/postgres";
import { silentLog } from "../../../support/silent-log";

async function create() {
  const { url, remove } = await emptyDatabase();
  return { open: () => createPostgresStorage({ url, clock: new ManualClock(), log: silentLog }), remove };
}

testStorage("Postgres storage", create);
