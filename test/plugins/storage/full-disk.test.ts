import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSqliteStorage } from "../../../plugins/storage/sqlite";
import type { Storage } from "../../../src/contracts/storage";
import type { RetentionLimits } from "../../../src/contracts/upkeep";
import { ManualClock } from "../../support/manual-clock";
import { fillDatabase } from "../../support/fill-database";
import { fillingStorage } from "../../support/filling-storage";
import { temporaryDirectory } from "../../support/server-process";
import { silentLog } from "../../support/silent-log";
import { sweepAll } from "../../support/sweep-all";

const DAY = 86_400_000;
const LIMITS: RetentionLimits = { delivered: 7 * DAY, dead: 30 * DAY, unmatched: 30 * DAY, maxSize: Infinity };

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clock: ManualClock;
let storage: Storage;

beforeEach(async () => {
  directory = await temporaryDirectory();
  clock = new ManualClock();
});

afterEach(async () => {
  await storage.close();
  await directory.remove();
});

function open(options: { maxPages?: number; ballast?: number } = {}): void {
  storage = createSqliteStorage({ dataDir: directory.path, clock, log: silentLog, ...options });
}

describe("a database that may not grow any more", () => {
  test("refuses events, says that it cannot be written, and keeps all that it acknowledged", async () => {
    open({ maxPages: 400, ballast: 0 });
    const filling = fillingStorage(storage, clock);
    await filling.keepUntilFull();
    expect(filling.acknowledged.length).toBeGreaterThan(100);
    await expect(storage.checkWritable()).rejects.toThrow(/full/);
    await storage.close();
    open({ ballast: 0 });
    expect(await fillingStorage(storage, clock).deliverAll()).toEqual([...filling.acknowledged]);
  });

  test("takes a refused event when there is room again, once, and is ready five seconds later", async () => {
    open({ maxPages: 400, ballast: 0 });
    const filling = fillingStorage(storage, clock);
    await filling.keepUntilFull();
    await storage.close();
    // The same directory with a larger disk.
    open({ ballast: 0 });
    const again = fillingStorage(storage, clock);
    expect(await again.keep(filling.refused)).toBe("kept");
    expect(await again.keep(filling.refused)).toBe("duplicate");
    await storage.checkWritable();
    expect(await again.deliverAll()).toEqual([...filling.acknowledged, ...again.acknowledged]);
  });

  test("what it still has room for goes out meanwhile, and a sweep makes room for more events", async () => {
    open({ maxPages: 400, ballast: 0 });
    const filling = fillingStorage(storage, clock);
    await filling.keepSome(150);
    expect(await filling.deliverAll()).toHaveLength(150);
    await filling.keepUntilFull();
    expect(await storage.room(LIMITS)).toBe("full");
    expect(await sweepAll(storage, LIMITS, clock.now())).toBe(150);
    expect(await filling.keep(filling.refused)).toBe("kept");
    await storage.checkWritable();
    expect(await filling.deliverAll()).toEqual(filling.acknowledged.slice(150));
  });

  test("with nothing to remove it is stuck, removes nothing, and refuses", async () => {
    open({ maxPages: 400, ballast: 65_536 });
    const filling = fillingStorage(storage, clock);
    await filling.keepUntilFull();
    expect(await sweepAll(storage, LIMITS, clock.now())).toBe(0);
    expect(await filling.keep(filling.refused)).toBe("refused");
    expect(await storage.room(LIMITS)).toBe("stuck");
  });

  test("goes on by itself when there is room again: nothing is opened anew, all that was acknowledged goes out", async () => {
    open({ maxPages: 1_000, ballast: 65_536 });
    const somebodyElse = fillDatabase(directory.path, 1_000);
    try {
      const filling = fillingStorage(storage, clock);
      await filling.keepSome(50);
      somebodyElse.fill();
      await filling.keepUntilFull();
      await expect(storage.checkWritable()).rejects.toThrow(/full/);
      expect(await storage.room(LIMITS)).toBe("full");
      somebodyElse.empty();
      expect(await filling.keep(filling.refused)).toBe("kept");
      await storage.checkWritable();
      await sweepAll(storage, LIMITS, clock.now());
      expect(await storage.room(LIMITS)).toBe("enough");
      expect(await filling.deliverAll()).toEqual([...filling.acknowledged]);
    } finally {
      somebodyElse.close();
    }
  });

  test("readiness stays red for five seconds after a refusal, because a single row may fit where a batch does not", async () => {
    open({ maxPages: 400, ballast: 0 });
    const filling = fillingStorage(storage, clock);
    await filling.keepUntilFull();
    await clock.turn(4_999);
    await expect(storage.checkWritable()).rejects.toThrow(/full/);
    await clock.turn(1);
    // The probe's row is there already, and needs no page.
    await storage.checkWritable();
  });
});

describe("the ballast", () => {
  const files = () => ["sayna-sip.ballast", "sayna-sip.reserve"].map((name) => existsSync(join(directory.path, name)));

  test("is made by a sweep, given up when an event does not fit, and made again", async () => {
    open({ maxPages: 400, ballast: 65_536 });
    expect(files()).toEqual([false, false]);
    await sweepAll(storage, LIMITS, clock.now());
    expect(files()).toEqual([true, true]);
    await fillingStorage(storage, clock).keepUntilFull();
    // What is kept for upkeep is not given up for events.
    expect(files()).toEqual([false, true]);
    await sweepAll(storage, LIMITS, clock.now());
    expect(files()).toEqual([true, true]);
  });

  test("of a disk without twice its size it takes nothing", async () => {
    open({ ballast: 2 ** 50 });
    await sweepAll(storage, LIMITS, clock.now());
    expect(files()).toEqual([false, false]);
  });
});

const unshare = ["unshare", "--user", "--map-root-user", "--mount"];
const canMount = Bun.spawnSync([...unshare, "mount", "-t", "tmpfs", "tmpfs", tmpdir()]).success;

// Where a test may not mount a file system, it is counted as skipped: the page limit above shows the same everywhere.
test.skipIf(!canMount)(
  "a disk of 24 MiB that is really full: retention makes room, and more room ends it by itself (needs to mount a tmpfs)",
  () => {
    open();
    const script = new URL("../../support/full-disk-run.ts", import.meta.url).pathname;
    const run = Bun.spawnSync([...unshare, process.execPath, script, directory.path]);
    expect(run.stderr.toString()).toBe("");
    expect(JSON.parse(run.stdout.toString())).toMatchObject({
      ballastAtFirst: [true, true],
      // Kept for upkeep, so that a sweep can write.
      full: { ballast: [false, true], writable: false, room: "full" },
      removed: 2000,
      afterSweep: "kept",
      removedOfNothing: 0,
      stuck: { room: "stuck", answer: "refused" },
      grown: { answer: "kept", writable: true },
      ballastAtLast: [true, true],
      readOnly: expect.stringMatching(/cannot be used: EROFS/),
      nothingLost: true,
    });
  },
);
