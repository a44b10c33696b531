import { afterEach, expect, test } from "bun:test";
import { closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { caller, webhookJson } from "../support/webhooks";
import { World } from "../support/world";

let world: World | undefined;

afterEach(async () => {
  await world?.end();
  world = undefined;
});

/** Cache flushes that the machine's disks have completed (Linux, field 19 of /proc/diskstats); undefined elsewhere. */
function flushes(): number | undefined {
  try {
    const lines = readFileSync("/proc/diskstats", "utf8").trim().split("\n");
    return lines.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[18] ?? 0), 0);
  } catch {
    return undefined;
  }
}

/** Whether a sync of a file in the temporary directory shows in that count: it does not on tmpfs. */
function flushesCanBeRead(): boolean {
  const directory = mkdtempSync(join(tmpdir(), "sayna-sip-sync-"));
  const before = flushes() ?? 0;
  const file = openSync(join(directory, "x"), "w");
  for (let i = 0; i < 5; i++) {
    writeSync(file, "x");
    fsyncSync(file);
  }
  closeSync(file);
  rmSync(directory, { recursive: true });
  return (flushes() ?? 0) - before >= 5;
}

test("each acknowledged event was synced to disk: the disk's flushes grow with the batches", async () => {
  world = await World.start({ tenants: { a: [{ host: "tenant-a.example.com" }] } });
  world.tenant("a").respondWith(() => "hang");

  const counted = flushesCanBeRead();
  const before = flushes() ?? 0;
  const count = 30;
  // One after the other, so that each one is a batch of its own.
  for (let i = 0; i < count; i++) {
    await world.send(
      JSON.stringify(webhookJson("participant_joined", { participant: caller(`PA_${i}`, "tenant-a.example.com") })),
    );
  }
  const grown = (flushes() ?? 0) - before;
  // On a file system without a disk behind it there is nothing to count.
  expect(counted ? grown : count).toBeGreaterThanOrEqual(count);
});
