import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { HookRegistry } from "../../../plugins/hooks-store";
import { createSqliteStorage } from "../../../plugins/storage/sqlite";
import type { HookReplacement, Storage } from "../../../src/contracts/storage";
import { hookId } from "../../../src/domain/hook";
import type { HostPattern } from "../../../src/domain/host-pattern";
import type { Principal } from "../../../src/domain/principal";
import { A, event, pattern, sip, to } from "../../../src/contracts/testing/sample-events";
import { ManualClock } from "../../support/manual-clock";
import { policy } from "../../support/policy";
import { recordingLog } from "../../support/recording-log";
import { silentLog } from "../../support/silent-log";
import { temporaryDirectory } from "../../support/server-process";

const ops: Principal = { id: "ops", role: "operator" };
const host = (name: string): HostPattern => pattern(`${name}.example.com`);
const id = (name: string) => hookId(host(name), "tenant");

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let storage: Storage;

beforeEach(async () => {
  directory = await temporaryDirectory();
  storage = createSqliteStorage({ dataDir: directory.path, clock: new ManualClock(), log: silentLog, ballast: 65_536 });
});

afterEach(async () => {
  await storage.close();
  await directory.remove();
});

/** What the storage answers to one instance; `failing` makes calls of it reject, `before` runs before them. */
class Seen {
  readonly clock = new ManualClock();
  readonly log = recordingLog();
  readonly failing = new Set<keyof Storage>();
  before: (called: string) => Promise<void> = async () => {};

  load(): Promise<HookRegistry> {
    const seen = new Proxy(storage, {
      get: (target, name: keyof Storage) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return async (...parameters: unknown[]): Promise<unknown> => {
          if (this.failing.has(name)) throw new Error(`${name} failed`);
          await this.before(name);
          return Reflect.apply(value, target, parameters);
        };
      },
    });
    const { clock, log } = this;
    return HookRegistry.load({ configHooks: [], policy, storage: seen, clock, log });
  }
}

async function instance() {
  const seen = new Seen();
  return { seen, registry: await seen.load() };
}

const put = (registry: HookRegistry, name: string, url = `https://${name}.example/hook`) =>
  change(registry, { host: host(name), after: { host: host(name), url, authId: "tenant" } });

const remove = (registry: HookRegistry, name: string) => change(registry, { host: host(name) });

const change = (registry: HookRegistry, replacement: HookReplacement) =>
  registry.change(ops, [replacement.host], () => [replacement]);

function urls(registry: HookRegistry): Record<string, string> {
  return Object.fromEntries(registry.table.all().map((hook) => [hook.host.split(".")[0], hook.url]));
}

describe("loading", () => {
  test("takes what another instance changes while it reads", async () => {
    const other = (await instance()).registry;
    await put(other, "replaced");
    await put(other, "removed");
    const seen = new Seen();
    let changed = false;
    seen.before = async (called) => {
      if (called !== "readHooks" || changed) return;
      changed = true;
      await put(other, "added");
    };
    const after = new Seen();
    let pages = 0;
    after.before = async (called) => {
      // After its only page was read.
      if (called !== "hookVersions" || ++pages !== 2) return;
      await put(other, "replaced", "https://new.example/hook");
      await remove(other, "removed");
    };
    expect(urls(await seen.load())).toEqual(urls(other));
    expect(urls(await after.load())).toEqual(urls(other));
    expect(Object.keys(urls(other))).toEqual(["replaced", "added"]);
  });

  test("cancels what waits for a hook that is in the table no more", async () => {
    await storage.commit(
      [event("participant_joined", { participant: sip("PA_1") }, to(A, "a.example.com"))],
      () => "ordered",
    );
    const { seen } = await instance();
    expect(await storage.waitingHooks()).toEqual([]);
    expect(seen.log.lines.map(({ message }) => message)).toContain("Deliveries cancelled: their SIP hook is gone");
  });
});

describe("reloading", () => {
  test("takes all that other instances have changed", async () => {
    const [one, two] = [await instance(), await instance()];
    await put(one.registry, "replaced");
    await put(one.registry, "removed");
    await put(one.registry, "paused");
    await put(one.registry, "resumed");
    await one.registry.pause(id("resumed"), "it answered 410");
    await two.registry.reload();
    expect(two.registry.isPaused(id("resumed"))).toBe(true);
    await put(one.registry, "replaced", "https://new.example/hook");
    await remove(one.registry, "removed");
    await put(one.registry, "added");
    await one.registry.pause(id("paused"), "it answered 410");
    await one.registry.resume([id("resumed")]);
    const released: string[] = [];
    two.registry.onChange((hooks) => released.push(...hooks));
    await two.registry.reload();
    expect(urls(two.registry)).toEqual(urls(one.registry));
    expect([two.registry.isPaused(id("paused")), two.registry.isPaused(id("resumed"))]).toEqual([true, false]);
    expect(released.toSorted()).toEqual([id("added"), id("replaced"), id("resumed")].toSorted());
  });

  test("cancels what was kept for a hook that another instance has removed, also what was being kept meanwhile", async () => {
    const [one, two] = [await instance(), await instance()];
    await put(one.registry, "gone");
    await two.registry.reload();
    await remove(one.registry, "gone");
    const keep = (n: number) =>
      storage.commit(
        [
          event(
            "participant_joined",
            { room: { sid: `RM_${n}`, name: "sip-1" }, participant: sip(`PA_${n}`) },
            to(id("gone"), "gone.example.com"),
          ),
        ],
        () => "ordered",
      );
    await keep(1);
    expect(await storage.waitingHooks()).toEqual([id("gone")]);
    await two.registry.reload();
    expect(await storage.waitingHooks()).toEqual([]);
    await keep(2);
    expect(await storage.waitingHooks()).toEqual([id("gone")]);
    await two.seen.clock.turn(15_000);
    expect(await storage.waitingHooks()).toEqual([]);
  });

  test.each<keyof Storage>(["pausedHooks", "hookVersions", "hookDifferences"])(
    "that fails at %s is tried again each second until it works",
    async (failing) => {
      const [one, two] = [await instance(), await instance()];
      await put(one.registry, "added");
      await one.registry.pause(id("added"), "it answered 410");
      two.seen.failing.add(failing);
      await two.registry.reload();
      await two.seen.clock.turn(3_000);
      expect(urls(two.registry)).toEqual({});
      expect(two.registry.isPaused(id("added"))).toBe(false);
      two.seen.failing.clear();
      await two.seen.clock.turn(1_000);
      expect(urls(two.registry)).toEqual(urls(one.registry));
      expect(two.registry.isPaused(id("added"))).toBe(true);
      expect(two.seen.clock.waits).toEqual([]);
      expect(two.seen.log.lines.filter(({ level }) => level === "error")).toHaveLength(4);
    },
  );

  test("keeps what is paused here and could not be saved, and saves it", async () => {
    const [one, two] = [await instance(), await instance()];
    await put(one.registry, "paused");
    await put(one.registry, "resumed");
    one.seen.failing.add("pauseHooks");
    for (const name of ["paused", "resumed"]) {
      await expect(one.registry.pause(id(name), "it answered 410")).rejects.toThrow();
    }
    await one.registry.reload();
    one.seen.failing.clear();
    await one.registry.resume([id("resumed")]);
    await one.seen.clock.turn(1_000);
    await two.registry.reload();
    for (const { registry } of [one, two]) {
      expect([registry.isPaused(id("paused")), registry.isPaused(id("resumed"))]).toEqual([true, false]);
    }
  });

  test("an operator's pause is saved, also of a hook whose own pause could not be", async () => {
    const { registry, seen } = await instance();
    await put(registry, "paused");
    seen.failing.add("pauseHooks");
    await expect(registry.pause(id("paused"), "it answered 410")).rejects.toThrow();
    seen.failing.clear();
    await registry.pauseAll([id("paused")], "paused by an operator");
    expect((await storage.pausedHooks()).map(({ hook }) => hook)).toEqual([id("paused")]);
  });

  test("that fails again and again leaves one more try, however often it is asked for, and none after the end", async () => {
    const { seen, registry } = await instance();
    seen.failing.add("pausedHooks");
    await Promise.all([registry.reload(), registry.reload(), registry.reload()]);
    expect(seen.clock.waits).toEqual([1_000]);
    registry.stop();
    expect(seen.clock.waits).toEqual([]);
    await registry.reload();
    expect(seen.clock.waits).toEqual([]);
  });

  test("whose cancellations fail has changed the table, and cancels later", async () => {
    const [one, two] = [await instance(), await instance()];
    await put(one.registry, "gone");
    await two.registry.reload();
    one.seen.failing.add("cancelHook");
    two.seen.failing.add("cancelHook");
    await storage.commit(
      [event("participant_joined", { participant: sip("PA_1") }, to(id("gone"), "gone.example.com"))],
      () => "ordered",
    );
    await remove(one.registry, "gone");
    await two.registry.reload();
    expect(urls(two.registry)).toEqual({});
    expect(await storage.waitingHooks()).toEqual([id("gone")]);
    two.seen.failing.clear();
    await two.seen.clock.turn(15_000);
    expect(await storage.waitingHooks()).toEqual([]);
  });
});

describe("a change", () => {
  test("brings those with it that others have made before", async () => {
    const [one, two] = [await instance(), await instance()];
    await put(one.registry, "first");
    await put(one.registry, "second");
    await remove(one.registry, "first");
    await put(two.registry, "third");
    expect(urls(two.registry)).toEqual({ second: "https://second.example/hook", third: "https://third.example/hook" });
  });

  test("is in force at once when those of others cannot be read, which come with the next reload", async () => {
    const [one, two] = [await instance(), await instance()];
    await put(one.registry, "first");
    two.seen.failing.add("hookDifferences");
    await put(two.registry, "second");
    expect(Object.keys(urls(two.registry))).toEqual(["second"]);
    two.seen.failing.clear();
    await two.registry.reload();
    expect(Object.keys(urls(two.registry)).toSorted()).toEqual(["first", "second"]);
  });

  test("that was in force before those of others could be read is undone when one of them has undone it", async () => {
    const [one, two] = [await instance(), await instance()];
    await put(one.registry, "replaced");
    await two.registry.reload();
    await put(one.registry, "other");
    two.seen.failing.add("hookDifferences");
    await put(two.registry, "added");
    await put(two.registry, "replaced", "https://new.example/hook");
    two.seen.failing.clear();
    await one.registry.reload();
    await remove(one.registry, "added");
    await put(one.registry, "replaced");
    await two.registry.reload();
    expect(urls(two.registry)).toEqual(urls(one.registry));
    expect(Object.keys(urls(one.registry))).toEqual(["replaced", "other"]);
  });

  test("that removes a hook cancels what was being kept for it meanwhile, unless it is back by then", async () => {
    const { seen, registry } = await instance();
    const keep = (n: number) =>
      storage.commit(
        [
          event(
            "participant_joined",
            { room: { sid: `RM_${n}`, name: "sip-1" }, participant: sip(`PA_${n}`) },
            to(id("gone"), "gone.example.com"),
          ),
        ],
        () => "ordered",
      );
    await put(registry, "gone");
    await remove(registry, "gone");
    await keep(1);
    await seen.clock.turn(15_000);
    expect(await storage.waitingHooks()).toEqual([]);
    await put(registry, "gone");
    await remove(registry, "gone");
    await put(registry, "gone");
    await keep(2);
    await seen.clock.turn(15_000);
    expect(await storage.waitingHooks()).toEqual([id("gone")]);
  });

  test("that removes a paused hook leaves none to be counted as paused", async () => {
    const { registry } = await instance();
    await put(registry, "gone");
    await put(registry, "paused");
    await registry.pauseAll([id("gone"), id("paused")], "asked for");
    expect(registry.pausedCount).toBe(2);
    await remove(registry, "gone");
    expect(registry.pausedCount).toBe(1);
  });
});

test("whoever changes what, and whatever fails meanwhile, all instances end with the same table", async () => {
  const step = fc.record({
    who: fc.nat({ max: 2 }),
    what: fc.constantFrom("put", "remove", "reload", "pause", "resume", "fail", "heal", "wait"),
    name: fc.constantFrom("a", "b", "c"),
    url: fc.nat({ max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const instances = [await instance(), await instance(), await instance()];
      for (const { who, what, name, url } of steps) {
        const { registry, seen } = instances[who] ?? (await instance());
        if (what === "put") await put(registry, name, `https://${url}.example/hook`);
        else if (what === "remove") await remove(registry, name);
        else if (what === "reload") await registry.reload();
        else if (what === "pause") await registry.pause(id(name), "asked for").catch(() => {});
        else if (what === "resume") await registry.resume([id(name)]);
        else if (what === "fail") seen.failing.add("hookDifferences");
        else if (what === "heal") seen.failing.clear();
        else await seen.clock.turn(1_000);
      }
      for (const { registry, seen } of instances) {
        seen.failing.clear();
        await registry.reload();
      }
      const fresh = await instance();
      for (const { registry } of instances) {
        expect(urls(registry)).toEqual(urls(fresh.registry));
        for (const name of ["a", "b", "c"]) {
          expect(registry.isPaused(id(name))).toBe(fresh.registry.isPaused(id(name)));
        }
      }
    }),
    { numRuns: 40 },
  );
});
