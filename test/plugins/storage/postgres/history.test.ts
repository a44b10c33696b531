import { createPostgresStorage } from "../../../../plugins/storage/postgres";
import { testHistory } from "../../../../src/contracts/testing/history-suite";
import { ManualClock } from "../../../support/manual-clock";
import { emptyDatabase } from "../../../support/postgres";
import { silentLog } from "../../../support/silent-log";

testHistory("Postgres storage's history", async () => {
  const { url, remove } = await emptyDatabase();
  return { open: () => createPostgresStorage({ url, clock: new ManualClock(), log: silentLog }), remove };
});
