import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { createSqliteStorage, DATABASE_FILE } from "../../../plugins/storage/sqlite";
import { systemClock } from "../../../src/contracts/clock";
import { hookIdFrom } from "../../../src/domain/ids";
import { recordingLog } from "../../support/recording-log";
import { temporaryDirectory } from "../../support/server-process";
import { incoming, matchOf, webhookJson } from "../../support/webhooks";

const FRAME_BYTES = 4096 + 24;
const HOOK = hookIdFrom("hook-a");

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeEach(async () => {
  directory = await temporaryDirectory();
});

afterEach(() => directory.remove());

const size = async (file: string) => (await stat(join(directory.path, file))).size;

test("under steady load the WAL begins anew again and again, and the database takes what was in it", async () => {
  const log = recordingLog();
  const storage = createSqliteStorage({ dataDir: directory.path, clock: systemClock, log });
  let kept = 0;
  let frames = 0;
  const end = performance.now() + 3_000;
  while (performance.now() < end) {
    const sid = `RM_${kept}`;
    const json = webhookJson("participant_joined", {
      room: { sid, name: `sip-${sid}` },
      participant: { sid: `PA_${kept}`, kind: "SIP", attributes: { "sip.callID": sid } },
    });
    await storage.commit([incoming(json, matchOf(HOOK), Date.now())], () => "ordered");
    kept++;
    frames += 10;
    // Other work of the event loop, in which the thread's answers come in.
    await new Promise(setImmediate);
  }
  const wal = (await size(`${DATABASE_FILE}-wal`)) / FRAME_BYTES;
  const copied = (await size(DATABASE_FILE)) / 4096;
  await storage.close();
  // More than SQLite would let it become, which copies all of it in the thread of the commits.
  expect(wal).toBeGreaterThan(1_500);
  expect(wal).toBeLessThan(5_000);
  expect(wal).toBeLessThan(frames / 2);
  expect(copied).toBeGreaterThan(frames / 100);
  const db = new Database(join(directory.path, DATABASE_FILE), { readonly: true });
  expect(db.query("select count(*) as n from events").get()).toEqual({ n: kept });
  expect(db.query("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
  db.close();
  expect(log.lines.filter(({ level }) => level === "warn")).toEqual([]);
}, 20_000);
