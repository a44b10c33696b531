import { afterEach, beforeEach, expect, test } from "bun:test";
import { HookRegistry } from "../../../plugins/hooks-store";
import { createSqliteStorage } from "../../../plugins/storage/sqlite";
import type { Storage } from "../../../src/contracts/storage";
import { hookId, type Hook } from "../../../src/domain/hook";
import type { HookId } from "../../../src/domain/ids";
import { ManualClock, settle } from "../../support/manual-clock";
import { policy } from "../../support/policy";
import { recordingLog } from "../../support/recording-log";
import { temporaryDirectory } from "../../support/server-process";
import { pattern } from "../../support/webhooks";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clock: ManualClock;
let storage: Storage;
let log: ReturnType<typeof recordingLog>;
let registry: HookRegistry;
let cancelled: HookId[];
let woken: HookId[];
let fails: boolean;

const hook = (host: string, authId: string, url = "https://x.example/"): Hook => {
  return { id: hookId(pattern(host), authId), host: pattern(host), url, authId, source: "config" };
};
const urls = () => registry.table.all().map(({ host, url, source }) => `${host} ${url} ${source}`);
const reconfigure = (hooks: readonly Hook[], inForce = () => {}) =>
  registry.reconfigure({ configHooks: hooks, policy }, inForce);

beforeEach(async () => {
  directory = await temporaryDirectory();
  clock = new ManualClock();
  log = recordingLog();
  const real = createSqliteStorage({ dataDir: directory.path, clock, log });
  cancelled = [];
  woken = [];
  fails = false;
  storage = Object.assign(Object.create(real) as Storage, {
    cancelHook: (id: HookId) => {
      cancelled.push(id);
      return real.cancelHook(id);
    },
    rememberHooks: (hooks: Parameters<Storage["rememberHooks"]>[0]) => {
      return fails ? Promise.reject(new Error("disk full")) : real.rememberHooks(hooks);
    },
  });
  const configHooks = [hook("a.example.com", "tenant-a"), hook("b.example.com", "tenant-b")];
  registry = await HookRegistry.load({ configHooks, policy, storage, clock, log });
  registry.onChange((ids) => woken.push(...ids));
});

afterEach(async () => {
  await storage.close();
  await directory.remove();
});

test("the same host and auth_id is the same hook: its url is another one, nothing is cancelled, and it may send again", async () => {
  const moved = hook("a.example.com", "tenant-a", "https://new.example/");
  await reconfigure([moved, hook("b.example.com", "tenant-b")]);
  expect(urls()).toEqual(["a.example.com https://new.example/ config", "b.example.com https://x.example/ config"]);
  expect([cancelled, woken]).toEqual([[], [moved.id]]);
});

test("with another auth_id it is a deletion and a new hook: what is pending for the old one is cancelled", async () => {
  const before = registry.table.byPattern(pattern("a.example.com"));
  const other = hook("a.example.com", "tenant-c");
  await reconfigure([other, hook("b.example.com", "tenant-b")]);
  expect(cancelled).toEqual(before === undefined ? [] : [before.id]);
  expect(registry.table.byPattern(pattern("a.example.com"))?.id).toBe(other.id);
  expect(registry.planDelivery(cancelled[0] ?? other.id, "room_started")).toBe("gone");
});

test("what was being kept with the old table is cancelled a little later, unless the hook is back by then", async () => {
  const gone = hookId(pattern("b.example.com"), "tenant-b");
  await reconfigure([hook("a.example.com", "tenant-a")]);
  await clock.turn(20_000);
  expect(cancelled).toEqual([gone, gone]);
  await reconfigure([]);
  await reconfigure([hook("a.example.com", "tenant-a")]);
  cancelled = [];
  await clock.turn(20_000);
  expect(cancelled).toEqual([]);
});

test("a hook added at run time is hidden by one of the configuration, and comes back without it; no version is made", async () => {
  await registry.change({ role: "operator", id: "ops" }, [pattern("r.example.com")], () => [
    { host: pattern("r.example.com"), after: { host: pattern("r.example.com"), url: "https://r.example/" } },
  ]);
  const version = await registry.newestVersion();
  const hiding = hook("r.example.com", "tenant-a");
  await reconfigure([hiding]);
  expect(urls()).toEqual(["r.example.com https://x.example/ config"]);
  await reconfigure([]);
  expect(urls()).toEqual(["r.example.com https://r.example/ runtime"]);
  expect(await registry.newestVersion()).toBe(version);
});

test("what comes back as another instance has left it goes on with what that one does next", async () => {
  const other = await HookRegistry.load({ configHooks: [], policy, storage, clock, log });
  const put = (url: string) =>
    other.change({ role: "operator", id: "ops" }, [pattern("r.example.com")], () => [
      { host: pattern("r.example.com"), after: { host: pattern("r.example.com"), url } },
    ]);
  await put("https://first.example/");
  await registry.reload();
  await reconfigure([hook("r.example.com", "tenant-a")]);
  await put("https://second.example/");
  await reconfigure([]);
  expect(urls()).toEqual(["r.example.com https://second.example/ runtime"]);
  await put("https://first.example/");
  await registry.reload();
  expect(urls()).toEqual(["r.example.com https://first.example/ runtime"]);
});

test("the table changes in the same turn as everything else, and follows changes that were asked for before", async () => {
  const seen: string[][] = [];
  const changing = registry.change({ role: "operator", id: "ops" }, [pattern("r.example.com")], () => [
    { host: pattern("r.example.com"), after: { host: pattern("r.example.com"), url: "https://r.example/" } },
  ]);
  const done = reconfigure([hook("c.example.com", "tenant-c")], () => seen.push(urls()));
  await Promise.all([changing, done]);
  expect(seen).toEqual([["c.example.com https://x.example/ config", "r.example.com https://r.example/ runtime"]]);
});

test("a storage that cannot write changes nothing", async () => {
  const before = urls();
  fails = true;
  let ran = false;
  const run = reconfigure([hook("c.example.com", "tenant-c")], () => {
    ran = true;
  });
  await expect(run).rejects.toThrow("disk full");
  await settle();
  expect([urls(), ran, cancelled]).toEqual([before, false, []]);
  fails = false;
  await reconfigure([hook("c.example.com", "tenant-c")]);
  expect(urls()).toEqual(["c.example.com https://x.example/ config"]);
});

test("a paused hook stays paused, as after a restart", async () => {
  const id = hookId(pattern("a.example.com"), "tenant-a");
  await registry.pause(id, "it answered 410");
  await reconfigure([hook("a.example.com", "tenant-a", "https://new.example/")]);
  expect(registry.isPaused(id)).toBe(true);
});
