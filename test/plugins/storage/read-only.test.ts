import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createSqliteStorage, DATABASE_FILE } from "../../../plugins/storage/sqlite";
import { ManualClock } from "../../support/manual-clock";
import { fillingStorage } from "../../support/filling-storage";
import { NOBODY } from "../../support/open-as-nobody";
import { temporaryDirectory } from "../../support/server-process";
import { silentLog } from "../../support/silent-log";

const SCRIPT = new URL("../../support/open-as-nobody.ts", import.meta.url).pathname;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

/** A database with something in it, of a user to whom file modes apply. */
beforeEach(async () => {
  directory = await temporaryDirectory();
  const clock = new ManualClock();
  const storage = createSqliteStorage({ dataDir: directory.path, clock, log: silentLog });
  await fillingStorage(storage, clock).keepSome(3);
  await storage.close();
  if (process.getuid?.() !== 0) return;
  for (const name of ["", ...readdirSync(directory.path)]) chownSync(join(directory.path, name), NOBODY, NOBODY);
});

afterEach(async () => {
  chmodSync(directory.path, 0o700);
  await directory.remove();
});

function open(): string {
  return Bun.spawnSync([process.execPath, SCRIPT, directory.path]).stdout.toString();
}

const content = () =>
  Object.fromEntries(
    readdirSync(directory.path).map((name) => [name, readFileSync(join(directory.path, name), "hex")]),
  );

describe("what may only be read is refused at the start, says so, and is left as it is", () => {
  test.each([
    ["the database", DATABASE_FILE, 0o444],
    ["the data directory", "", 0o555],
  ])("%s", (_, name, mode) => {
    const before = content();
    chmodSync(join(directory.path, name), mode);
    expect(open()).toBe(
      `StorageOpenError: The data directory ${directory.path} cannot be used: EACCES: permission denied, access ` +
        `'${join(directory.path, name)}'. Give data_dir (DATA_DIR) a directory that this user may write to, on a disk with free space.`,
    );
    expect(content()).toEqual(before);
    chmodSync(join(directory.path, name), 0o700);
    expect(open()).toBe("opened");
  });
});
