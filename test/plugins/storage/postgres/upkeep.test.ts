import { createPostgresStorage } from "../../../../plugins/storage/postgres";
import { testUpkeep } from "../../../../src/contracts/testing/upkeep-suite";
import { ManualClock } from "../../../support/manual-clock";
import { emptyDatabase } from "../../../support/postgres";
import { silentLog } from "../../../support/silent-log";

testUpkeep("Postgres storage's upkeep", async () => {
  const { url, remove } = await emptyDatabase();
  return { open: () => createPostgresStorage({ url, clock: new ManualClock(), log: silentLog }), remove };
});
