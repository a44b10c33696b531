import { afterEach, beforeEach, expect, test } from "bun:test";
import { rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { watchFile } from "../src/watch-file";
import { ManualClock } from "./support/manual-clock";
import { temporaryDirectory } from "./support/server-process";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clock: ManualClock;
let changes: number;
let stop: () => void;

const path = (name: string) => join(directory.path, name);

beforeEach(async () => {
  directory = await temporaryDirectory();
  clock = new ManualClock();
  changes = 0;
  stop = () => {};
});

afterEach(() => {
  stop();
  return directory.remove();
});

function watch(name: string) {
  stop = watchFile({ path: path(name), clock, onChange: () => changes++ });
  return looks(1);
}

/** Lets it look so often. What it asks the file system for takes real time. */
async function looks(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    for (let tries = 0; clock.waits.length === 0 && tries < 200; tries++) await Bun.sleep(5);
    await clock.turn(500);
  }
  for (let tries = 0; clock.waits.length === 0 && tries < 200; tries++) await Bun.sleep(5);
}

const WAYS: Readonly<Record<string, () => Promise<void>>> = {
  "is written in place": () => writeFile(path("file"), "other"),
  "is replaced by renaming another one": async () => {
    await writeFile(path("new"), "other");
    await rename(path("new"), path("file"));
  },
  "is moved away, and written anew": async () => {
    await rename(path("file"), path("file~"));
    await writeFile(path("file"), "other");
  },
};

test.each(Object.keys(WAYS))("a file that %s has changed once", async (way) => {
  await writeFile(path("file"), "one");
  await watch("file");
  await looks(3);
  expect(changes).toBe(0);
  await WAYS[way]?.();
  await looks(4);
  expect(changes).toBe(1);
});

test("so has one whose directory is a symbolic link that leads elsewhere", async () => {
  await writeFile(path("one"), "1");
  await writeFile(path("two"), "2");
  await symlink(path("one"), path("file"));
  await watch("file");
  await symlink(path("two"), path("next"));
  await rename(path("next"), path("file"));
  await looks(3);
  expect(changes).toBe(1);
});

test("a file that is still being written, or is gone, is waited for", async () => {
  let version: string | undefined = "a";
  const look = async () => version;
  stop = watchFile({ path: "", clock, onChange: () => changes++, look });
  await looks(1);
  for (const next of ["b", "c", undefined, undefined, "d"]) {
    version = next;
    await looks(1);
    expect(changes).toBe(0);
  }
  await looks(1);
  expect(changes).toBe(1);
});

test("once stopped it tells nothing more", async () => {
  await writeFile(path("file"), "one");
  await watch("file");
  stop();
  await writeFile(path("file"), "other");
  await clock.turn(5_000);
  expect([changes, clock.waits]).toEqual([0, []]);
});
