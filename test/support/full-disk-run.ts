/**
 * Run inside a mount namespace: makes a file system of 24 MiB at the given path, fills it, and writes as JSON what happened.
 * It is a process of its own because a namespace is.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createSqliteStorage, StorageOpenError } from "../../plugins/storage/sqlite";
import { systemClock as clock } from "../../src/contracts/clock";
import type { RetentionLimits } from "../../src/contracts/upkeep";
import { fillingStorage } from "./filling-storage";
import { silentLog } from "./silent-log";

const [path = ""] = process.argv.slice(2);
const DAY = 86_400_000;
const LIMITS: RetentionLimits = { delivered: 7 * DAY, dead: 30 * DAY, unmatched: 30 * DAY, maxSize: Infinity };
const MiB = 1024 * 1024;
const DELIVERED = 2000;

function mount(options: string): void {
  const { success, stderr } = Bun.spawnSync(["mount", ...options.split(" "), path]);
  if (!success) throw new Error(stderr.toString());
}

mount("-t tmpfs -o size=24m tmpfs");
const open = () => createSqliteStorage({ dataDir: path, clock, log: silentLog, ballast: 4 * MiB });
let storage = open();
const ballast = () => ["sayna-sip.ballast", "sayna-sip.reserve"].map((name) => existsSync(join(path, name)));
const writable = () =>
  storage.checkWritable().then(
    () => true,
    () => false,
  );
async function sweep(): Promise<number> {
  for (let removed = 0; ;) {
    const step = await storage.sweep(LIMITS, clock.now());
    removed += step.removed;
    if (!step.more) return removed;
  }
}

await sweep();
const ballastAtFirst = ballast();
const filling = fillingStorage(storage, clock);
await filling.keepSome(DELIVERED);
await filling.deliverAll();

await filling.keepUntilFull();
const full = { ballast: ballast(), writable: await writable(), room: await storage.room(LIMITS) };
const removed = await sweep();
const afterSweep = await filling.keep(filling.refused);

await filling.keepUntilFull();
const removedOfNothing = await sweep();
const stuck = { room: await storage.room(LIMITS), answer: await filling.keep(filling.refused) };

mount("-o remount,size=64m");
const grown = { answer: await filling.keep(filling.refused), writable: await writable() };
await sweep();
const ballastAtLast = ballast();
await storage.close();

mount("-o remount,ro");
let readOnly = "opened";
try {
  storage = open();
} catch (error) {
  readOnly = error instanceof StorageOpenError ? error.message : String(error);
}
mount("-o remount,rw");
storage = open();
const pending = await fillingStorage(storage, clock).deliverAll();
const nothingLost = Bun.deepEquals(pending, filling.acknowledged.slice(DELIVERED));
await storage.close();

console.log(
  JSON.stringify({
    ballastAtFirst,
    full,
    removed,
    afterSweep,
    removedOfNothing,
    stuck,
    grown,
    ballastAtLast,
    readOnly,
    nothingLost,
  }),
);
