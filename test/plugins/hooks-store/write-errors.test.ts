import { afterEach, beforeEach, expect, test } from "bun:test";
import { HookRegistry } from "../../../plugins/hooks-store";
import { createSqliteStorage } from "../../../plugins/storage/sqlite";
import type { Storage } from "../../../src/contracts/storage";
import { hookId, type StoredHook } from "../../../src/domain/hook";
import { failStatement, type Statement } from "../../support/failing-statements";
import { ManualClock } from "../../support/manual-clock";
import { policy } from "../../support/policy";
import { recordingLog } from "../../support/recording-log";
import { temporaryDirectory } from "../../support/server-process";
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
  storage = createSqliteStorage({ dataDir: directory.path, clock, log, ballast: 0 });
  registry = await HookRegistry.load({ configHooks: [], policy, storage, clock, log });
});

afterEach(async () => {
  await storage.close();
  await directory.remove();
});

const urls = () => registry.table.all().map(({ url }) => url);
const stored = async () => (await storage.readHooks()).map(({ url }) => url);

/** A hook that is to go, with a delivery waiting; one that is paused; and the change: one goes, one comes, one is replaced. */
async function prepare() {
  await registry.change(ops, () => [OLD, PAUSED]);
  await registry.pause(idOf(PAUSED), "it answered 410");
  const json = webhookJson("participant_joined", {
    participant: { sid: "PA_1", kind: "SIP", attributes: { a: "b" } },
  });
  await storage.commit([incoming(json, matchOf(idOf(OLD)), clock.now())], () => "ordered");
  return () => registry.change(ops, () => [OTHER, RESUMED]);
}

test.each<[string, Statement]>([
  ["the table", { operation: "insert", table: "hooks" }],
  ["a hook's removal", { operation: "delete", table: "hooks" }],
  ["what is remembered of hooks", { operation: "insert", table: "known_hooks" }],
  ["the record", { operation: "insert", table: "hook_changes" }],
])("a write error in %s: nothing is changed, neither in memory nor on disk", async (_, statement) => {
  const change = await prepare();
  const before = urls();
  const recover = failStatement(directory.path, statement);
  await expect(change()).rejects.toMatchObject({ code: "hooks_not_saved" });
  expect([urls(), await stored()]).toEqual([before, before]);
  expect(await storage.hookChanges(10)).toHaveLength(1);
  recover();
  await change();
  expect([urls(), await stored()].map((list) => list.toSorted())).toEqual([
    [OTHER.url, RESUMED.url],
    [OTHER.url, RESUMED.url],
  ]);
});

test.each<[string, Statement]>([
  ["the end of a pause", { operation: "delete", table: "paused_hooks" }],
  ["a cancellation", { operation: "update", table: "lanes" }],
])("a write error in %s: the change stands, and nothing is sent to the hook that is gone", async (_, statement) => {
  const change = await prepare();
  const recover = failStatement(directory.path, statement);
  await change();
  expect(urls().toSorted()).toEqual([OTHER.url, RESUMED.url]);
  expect(log.lines.filter(({ level }) => level === "error")).toHaveLength(1);
  expect(registry.table.byId(idOf(OLD))).toBeUndefined();
  recover();
  // A restart does what is left.
  registry = await HookRegistry.load({ configHooks: [], policy, storage, clock, log });
  expect(urls().toSorted()).toEqual([OTHER.url, RESUMED.url]);
  expect(await storage.waitingHooks()).toEqual([]);
});

test("a replaced hook whose pause could not be ended stays paused until it is replaced again", async () => {
  const change = await prepare();
  const recover = failStatement(directory.path, { operation: "delete", table: "paused_hooks" });
  await change();
  expect(registry.isPaused(idOf(PAUSED))).toBe(true);
  recover();
  await registry.change(ops, (hooks) => hooks.map((hook) => (hook.host === PAUSED.host ? PAUSED : hook)));
  expect(registry.isPaused(idOf(PAUSED))).toBe(false);
});
