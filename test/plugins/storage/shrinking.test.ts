import { afterEach, beforeEach, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { createSqliteStorage, DATABASE_FILE } from "../../../plugins/storage/sqlite";
import type { Storage } from "../../../src/contracts/storage";
import type { RetentionLimits } from "../../../src/contracts/upkeep";
import { fillingStorage } from "../../support/filling-storage";
import { ManualClock } from "../../support/manual-clock";
import { temporaryDirectory } from "../../support/server-process";
import { silentLog } from "../../support/silent-log";
import { sweepAll } from "../../support/sweep-all";

const DAY = 86_400_000;
const LIMITS: RetentionLimits = { delivered: 7 * DAY, dead: 30 * DAY, unmatched: 30 * DAY, maxSize: Infinity };
const EVENTS = 2_000;
const AT_A_TIME = 100;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clock: ManualClock;
let storage: Storage;

beforeEach(async () => {
  directory = await temporaryDirectory();
  clock = new ManualClock();
  open();
});

afterEach(async () => {
  await storage.close();
  await directory.remove();
});

function open(): void {
  storage = createSqliteStorage({ dataDir: directory.path, clock, log: silentLog, ballast: 0 });
}

test("the file of a database that was large shrinks below half when a sweep has removed its events", async () => {
  const filling = fillingStorage(storage, clock);
  for (let kept = 0; kept < EVENTS; kept += AT_A_TIME) await filling.keepTogether(AT_A_TIME);
  expect(await filling.deliverAll()).toHaveLength(EVENTS);
  expect(await sweepAll(storage, LIMITS, clock.now())).toBe(0);
  const large = await fileBytes();
  await clock.turn(8 * DAY);
  expect(await sweepAll(storage, LIMITS, clock.now())).toBe(EVENTS);
  expect(await fileBytes()).toBeLessThan(large / 2);
});

/** As it is once what SQLite has in its WAL is in the file: while it runs, at most 1,000 pages later. */
async function fileBytes(): Promise<number> {
  await storage.close();
  open();
  return statSync(join(directory.path, DATABASE_FILE)).size;
}
