import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { appendFile, mkdtemp, readFile, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLiveKitEvent, type IncomingEvent } from "sayna-sip";
import {
  ManualClock,
  optionsTable,
  testConcurrency,
  testCrashes,
  testHistory,
  testStorage,
  testUpkeep,
} from "sayna-sip/testing";
import { FileLog } from "./file-log";
import plugin, { journalStorage } from "./journal-storage";
import type { LineLog } from "./line-log";
import openJournal from "./open-journal";

async function create() {
  const place = await mkdtemp(join(tmpdir(), "journal-"));
  return { place, open: () => openJournal(place), remove: () => rm(place, { recursive: true }) };
}

testStorage("the journal", create);
testHistory("the journal's history", create);
testUpkeep("the journal's upkeep", create);
testConcurrency("the journal, asked for much at once", create);
testCrashes("the journal, killed", { module: join(import.meta.dir, "open-journal.ts"), create });

let lastId = 0;

function roomStarted(): IncomingEvent {
  const json = { event: "room_started", id: `EV_${++lastId}`, room: { sid: "RM_1", name: "sip-1" } };
  const body = new TextEncoder().encode(JSON.stringify(json));
  return { event: readLiveKitEvent(json, body), contentType: "x", body, receivedAt: 1, match: undefined };
}

describe("the file", () => {
  let directory: string;
  let file: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "journal-"));
    file = join(directory, "journal");
  });

  afterEach(() => rm(directory, { recursive: true }));

  test("cut off at any byte, the storage opens with the transactions that are whole, and goes on", async () => {
    const first = await openJournal(directory);
    const events = [roomStarted(), roomStarted()];
    for (const event of events) await first.commit([event], () => "ordered");
    await first.close();
    const whole = await readFile(file);
    const [line = ""] = whole.toString().split("\n");
    for (const length of [0, 1, line.length, line.length + 1, line.length + 2, whole.length - 1, whole.length]) {
      await rm(file);
      await appendFile(file, whole);
      await truncate(file, length);
      const kept = whole.subarray(0, length).toString().split("\n").length - 1;
      const storage = await openJournal(directory);
      const kinds = (await storage.commit(events, () => "ordered")).map(({ kind }) => kind);
      expect(kinds).toEqual(events.map((_, i) => (i < kept ? "duplicate" : "kept")));
      await storage.close();
    }
  });

  test("that cannot be written changes nothing, and the next change is kept", async () => {
    const log = await FileLog.open(file);
    let full = false;
    const failing: LineLog = {
      read: () => log.read(),
      append: (line) => (full ? Promise.reject(new Error("the disk is full")) : log.append(line)),
      check: () => log.check(),
      close: () => log.close(),
    };
    const storage = await journalStorage(failing, new ManualClock());
    const event = roomStarted();
    full = true;
    await expect(storage.commit([event], () => "ordered")).rejects.toThrow("the disk is full");
    full = false;
    expect(await storage.commit([event], () => "ordered")).toMatchObject([{ kind: "kept" }]);
    await storage.close();
  });
});

test("the README has every option", async () => {
  const readme = await readFile(join(import.meta.dir, "README.md"), "utf8");
  const plain = readme.replaceAll(/ +\|/g, " |").replaceAll(/-+ \|/g, "--- |");
  expect(plain).toContain(optionsTable(plugin).join("\n"));
});
