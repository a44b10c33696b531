import { expect, test } from "bun:test";
import { createSqliteStorage } from "../../../plugins/storage/sqlite";
import { hookIdFrom } from "../../../src/domain/ids";
import { ManualClock } from "../../support/manual-clock";
import { temporaryDirectory } from "../../support/server-process";
import { silentLog } from "../../support/silent-log";
import { caller, incoming, matchOf, webhookJson } from "../../support/webhooks";

const HOOK = hookIdFrom("hook-a");
const CALLS = 3_000;

test("a hook whose many calls have little each is cancelled in a few steps, each of them a bounded transaction", async () => {
  const directory = await temporaryDirectory();
  const storage = createSqliteStorage({
    dataDir: directory.path,
    clock: new ManualClock(),
    log: silentLog,
    ballast: 65_536,
  });
  const events = Array.from({ length: CALLS }, (_, n) =>
    incoming(
      webhookJson("participant_joined", {
        room: { sid: `RM_${n}`, name: `sip-${n}` },
        participant: caller(`PA_${n}`, "a.example.com"),
      }),
      matchOf(HOOK),
      1,
    ),
  );
  await storage.commit(events, () => "ordered");
  let turns = 0;
  let counting = true;
  const count = () => {
    turns++;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  expect(await storage.cancelHook(HOOK)).toBe(CALLS);
  counting = false;
  expect(turns).toBeGreaterThan(CALLS / 1_000);
  expect(turns).toBeLessThan(CALLS / 50);
  expect(await storage.waitingHooks()).toEqual([]);
  await storage.close();
  await directory.remove();
});
