import { afterEach, beforeEach, expect, test } from "bun:test";
import { HookRegistry } from "../../../plugins/hooks-store";
import { createSqliteStorage } from "../../../plugins/storage/sqlite";
import type { HookReplacement, Storage } from "../../../src/contracts/storage";
import { hookId, type StoredHook } from "../../../src/domain/hook";
import { failStatement, type Statement } from "../../support/failing-statements";
import { ManualClock } from "../../support/manual-clock";
import { policy } from "../../support/policy";
import { recordingLog } from "../../support/recording-log";
import { temporaryDirectory } from "../../support/server-process";
import { storedHooks } from "../../support/stored-hooks";
import { incoming, matchOf, pattern, webhookJson } from "../../support/webhooks";

const OLD: StoredHook = { host: pattern("a.example.com"), url: "https://a.example/1", authId: "tenant-a" };
const OTHER: StoredHook = { host: pattern("b.example.com"), url: "https://b.example/1", authId: "tenant-a" };
const PAUSED: StoredHook = { host: pattern("p.example.com"), url: "https://p.example/1", authId: "tenant-a" };
const RESUMED: StoredHook = { ...PAUSED, url: "https://p.example/2" };
const ops = { role: "operator", id: "ops" } as const;
const clock = new ManualClock();
const idOf = ({ host, authId }: StoredHook) => hookId(host, authId);

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let log: ReturnType<typeof recordingLog>;
let storage: Storage;
let registry: HookRegistry;

beforeEach(async () => {
  directory = await temporaryDirectory();
  log = recordingLog();
  await start();
});

afterEach(async () => {
  await storage.close();
  await directory.remove();
});

async function start(): Promise<void> {
  storage = createSqliteStorage({ dataDir: directory.path, clock, log, ballast: 0 });
  registry = await HookRegistry.load({ configHooks: [], policy, storage, clock, log });
}

async function startAgain(): Promise<void> {
  await storage.close();
  await start();
}

const urls = () => registry.table.all().map(({ url }) => url);
const stored = async () => (await storedHooks(storage)).map(({ url }) => url);

function put(...hooks: StoredHook[]): HookReplacement[] {
  return hooks.map((after) => ({ host: after.host, after }));
}

function change(replacements: HookReplacement[]): Promise<void> {
  return registry.change(
    ops,
    replacements.map(({ host }) => host),
    () => replacements,
  );
}

/** A hook that is to go, with a delivery waiting; one that is paused; and the change: one goes, one comes, one is replaced. */
async function prepare() {
  await change(put(OLD, PAUSED));
  await registry.pause(idOf(PAUSED), "it answered 410");
  const json = webhookJson("participant_joined", {
    participant: { sid: "PA_1", kind: "SIP", attributes: { a: "b" } },
  });
  await storage.commit([incoming(json, matchOf(idOf(OLD)), clock.now())], () => "ordered");
  return () => change([{ host: OLD.host }, ...put(OTHER, RESUMED)]);
}

test.each<[string, Statement]>([
  ["what changed", { operation: "insert", table: "hook_change_parts" }],
  ["the record", { operation: "insert", table: "hook_changes" }],
])("a write error in %s: nothing is changed, neither in memory nor on disk", async (_, statement) => {
  const run = await prepare();
  const before = urls();
  const recover = failStatement(directory.path, statement);
  await expect(run()).rejects.toMatchObject({ code: "hooks_not_saved" });
  expect([urls(), await stored()]).toEqual([before, before]);
  expect(await storage.hookVersions(10)).toHaveLength(1);
  recover();
  await startAgain();
  expect([urls(), await stored()]).toEqual([before, before]);
  await run();
  expect([urls(), await stored()]).toEqual([
    [RESUMED.url, OTHER.url],
    [RESUMED.url, OTHER.url],
  ]);
});

test("a write error in the last part of a large change: none of it is there, and none comes back", async () => {
  const many = Array.from({ length: 500 }, (_, i) => ({ ...OLD, host: pattern(`h${i}.example.com`) }));
  const last = many.at(-1)?.host ?? "";
  const recover = failStatement(directory.path, {
    operation: "insert",
    table: "hook_change_parts",
    when: `new.hosts like '%"${last}"%'`,
  });
  await expect(change(put(...many))).rejects.toMatchObject({ code: "hooks_not_saved" });
  recover();
  expect([urls(), await stored(), await storage.hookVersions(1)]).toEqual([[], [], []]);
  await change(put(OTHER));
  await startAgain();
  expect(urls()).toEqual([OTHER.url]);
  expect(await storage.hookDifferences(0, 1)).toEqual([{ host: OTHER.host, after: OTHER }]);
});

test.each<[string, Statement]>([
  ["the table", { operation: "insert", table: "hooks" }],
  ["a hook's removal", { operation: "delete", table: "hooks" }],
  ["what is remembered of hooks", { operation: "insert", table: "known_hooks" }],
])("a write error in %s, after the record: the change stands, and is made up for", async (_, statement) => {
  const run = await prepare();
  const recover = failStatement(directory.path, statement);
  await run();
  expect(urls()).toEqual([RESUMED.url, OTHER.url]);
  expect(log.lines.filter(({ level }) => level === "error")).toHaveLength(1);
  await expect(change(put(OLD))).rejects.toMatchObject({ code: "hooks_not_saved" });
  recover();
  await startAgain();
  expect([urls(), await stored()]).toEqual([
    [RESUMED.url, OTHER.url],
    [RESUMED.url, OTHER.url],
  ]);
});

test("… before the next change too", async () => {
  const run = await prepare();
  const recover = failStatement(directory.path, { operation: "insert", table: "hooks" });
  await run();
  recover();
  await change(put(OLD));
  expect([urls(), await stored()]).toEqual([
    [RESUMED.url, OTHER.url, OLD.url],
    [RESUMED.url, OTHER.url, OLD.url],
  ]);
});

test("a change that is cut off while it is written to the table is whole after the start", async () => {
  const many = Array.from({ length: 500 }, (_, i): StoredHook => {
    return { ...OLD, host: pattern(`h${i}.example.com`), url: `https://x.example/${i}` };
  });
  const recover = failStatement(directory.path, {
    operation: "insert",
    table: "hooks",
    when: `new.host = '${many[300]?.host}'`,
  });
  await change(put(...many));
  recover();
  await startAgain();
  expect(urls()).toEqual(many.map(({ url }) => url));
});

test.each<[string, Statement]>([
  ["the end of a pause", { operation: "delete", table: "paused_hooks" }],
  ["a cancellation", { operation: "update", table: "lanes" }],
])("a write error in %s: the change stands, and nothing is sent to the hook that is gone", async (_, statement) => {
  const run = await prepare();
  const recover = failStatement(directory.path, statement);
  await run();
  expect(urls()).toEqual([RESUMED.url, OTHER.url]);
  expect(log.lines.filter(({ level }) => level === "error")).toHaveLength(1);
  expect(registry.table.byId(idOf(OLD))).toBeUndefined();
  recover();
  // A restart does what is left.
  await startAgain();
  expect(urls()).toEqual([RESUMED.url, OTHER.url]);
  expect(await storage.waitingHooks()).toEqual([]);
});

test("a replaced hook whose pause could not be ended stays paused until it is replaced again", async () => {
  const run = await prepare();
  const recover = failStatement(directory.path, { operation: "delete", table: "paused_hooks" });
  await run();
  expect(registry.isPaused(idOf(PAUSED))).toBe(true);
  recover();
  await change(put(PAUSED));
  expect(registry.isPaused(idOf(PAUSED))).toBe(false);
});

test("of several hooks that somebody names all are paused, or none", async () => {
  await change(put(OLD, OTHER, PAUSED));
  const recover = failStatement(directory.path, {
    operation: "insert",
    table: "paused_hooks",
    when: `new.hook = '${idOf(PAUSED)}'`,
  });
  const hooks = [OLD, OTHER, PAUSED].map(idOf);
  await expect(registry.pauseAll(hooks, "maintenance")).rejects.toThrow();
  expect([hooks.filter((hook) => registry.isPaused(hook)), await storage.pausedHooks()]).toEqual([[], []]);
  recover();
  await registry.pauseAll(hooks, "maintenance");
  expect(await storage.pausedHooks()).toHaveLength(3);
});
