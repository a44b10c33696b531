import { describe, expect, test } from "bun:test";
import type { StoredHook } from "../../domain/hook";
import { hookId } from "../../domain/hook";
import type { HostPattern } from "../../domain/host-pattern";
import type { Page } from "../history";
import type { HookReplacement, HostDifference, PresentHooks } from "../storage";
import type { OpenedStorage } from "./opened-storage";
import { NOW, pattern } from "./sample-events";

const OPS = { who: "ops", at: NOW };
const A: StoredHook = { host: pattern("a.example.com"), url: "https://a.example/1", authId: "tenant-a" };
const A2: StoredHook = { ...A, url: "https://a.example/2" };
const B: StoredHook = {
  host: pattern("b.example.com"),
  url: "https://b.example/1",
  secretRef: "env:B",
  previousSecret: { ref: "file:/old", until: NOW + 1000 },
  credentials: { authorization: { kind: "basic", username: "ü", password: "env:P" } },
  policy: { concurrency: 2, expiry: [{ events: "track_*", after: 1000 }] },
  operatorPolicy: { rate: 5, schedule: [1000, 5000], order: "none" },
};
const C: StoredHook = { host: pattern("*.c.example.com"), url: "https://c.example/1" };

/** What `Storage` promises of the hooks added at run time, as tests. Part of `testStorage`. */
export function testHooks(under: OpenedStorage): void {
  const put = (...hooks: StoredHook[]) =>
    under.storage.changeHooks(OPS, hooks.map(hostOf), () => hooks.map((after) => ({ host: after.host, after })));
  const remove = (...hosts: HostPattern[]) =>
    under.storage.changeHooks(OPS, hosts, () => hosts.map((host) => ({ host })));

  async function stored(limit = 500): Promise<StoredHook[]> {
    const hooks: StoredHook[] = [];
    for (let after: { after?: string } | undefined = {}; after !== undefined;) {
      const { entries, next }: Page<StoredHook> = await under.storage.readHooks({ limit, ...after });
      expect(entries.length).toBeLessThanOrEqual(limit);
      hooks.push(...entries);
      after = next === undefined ? undefined : { after: next };
    }
    return hooks;
  }

  async function differences(from: number, to: number): Promise<HostDifference[]> {
    const found = await under.storage.hookDifferences(from, to);
    return found.toSorted((a, b) => (a.host < b.host ? -1 : 1));
  }

  const versionCount = async () => (await under.storage.hookVersions(100)).length;

  describe("a change of hooks", () => {
    test("is there after a reopening: what is replaced keeps its place, what is new comes last", async () => {
      await put(A, B);
      await put(C, A2);
      await under.reopen();
      expect(await stored()).toEqual([A2, B, C]);
      await remove(B.host);
      await put(B);
      await under.reopen();
      for (const limit of [1, 2, 3, 4]) expect(await stored(limit)).toEqual([A2, C, B]);
    });

    test("is given what each named host has, and nothing else; the rest stays as it is", async () => {
      await put(A, B);
      const seen: [string, StoredHook | undefined][] = [];
      await under.storage.changeHooks(OPS, [B.host, C.host], (present) => {
        seen.push(...present);
        return [{ host: B.host }];
      });
      expect(seen).toEqual([
        [B.host, B],
        [C.host, undefined],
      ]);
      expect(await stored()).toEqual([A]);
    });

    test("returns its version and the hosts that differ, before and after", async () => {
      expect(await put(A, B)).toEqual({
        ...OPS,
        version: 1,
        hosts: [
          { host: A.host, after: A },
          { host: B.host, after: B },
        ],
      });
      const change = await under.storage.changeHooks({ who: "tenant-a", at: NOW + 1 }, [A.host, B.host, C.host], () => [
        { host: A.host, after: A2 },
        { host: B.host },
        { host: C.host },
      ]);
      expect(change).toEqual({
        who: "tenant-a",
        at: NOW + 1,
        version: 2,
        hosts: [
          { host: A.host, before: A, after: A2 },
          { host: B.host, before: B },
        ],
      });
    });

    test("that changes nothing makes no version", async () => {
      await put(A, B);
      expect(await put(B, { ...A })).toEqual({ ...OPS, version: 1, hosts: [] });
      expect((await remove(C.host)).hosts).toEqual([]);
      expect(await versionCount()).toBe(1);
    });

    test.each<[string, () => never | Promise<never>]>([
      ["throws", () => fail()],
      ["rejects with", async () => fail()],
    ])("what it %s is thrown, and nothing is changed", async (_, change) => {
      await put(A);
      await expect(under.storage.changeHooks(OPS, [A.host, B.host], change)).rejects.toThrow("no");
      await expect(under.storage.restoreHooks(OPS, 0, change)).rejects.toThrow("no");
      expect(await stored()).toEqual([A]);
      expect(await versionCount()).toBe(1);
      await put(B);
      expect(await stored()).toEqual([A, B]);
    });

    test("of a host that was not named is refused, and nothing is changed", async () => {
      const change = () => [
        { host: A.host, after: A },
        { host: B.host, after: B },
      ];
      await expect(under.storage.changeHooks(OPS, [A.host], change)).rejects.toThrow(RangeError);
      expect(await stored()).toEqual([]);
      expect(await versionCount()).toBe(0);
    });

    test("waits for the one before it, also while that takes its time: none is lost", async () => {
      const add = (i: number) => {
        const host = pattern(`h${i}.example.com`);
        return under.storage.changeHooks(OPS, [host, A.host], async (present) => {
          await new Promise(setImmediate);
          const count = Number(new URL(present.get(A.host)?.url ?? "https://x/0").pathname.slice(1)) + 1;
          const url = "https://x.example/";
          return [
            { host, after: { host, url } },
            { host: A.host, after: { ...A, url: `https://x.example/${count}` } },
          ];
        });
      };
      await Promise.all(Array.from({ length: 20 }, (_, i) => add(i)));
      const hooks = await stored();
      expect(hooks).toHaveLength(21);
      expect(hooks.find(({ host }) => host === A.host)?.url).toBe("https://x.example/20");
    });

    test("of thousands of hooks holds nobody up, and is all there or not at all", async () => {
      const many = Array.from({ length: 3_000 }, (_, i): StoredHook => {
        return { host: pattern(`h${i}.example.com`), url: "https://x.example/", authId: `tenant-${i % 7}` };
      });
      // Turns of the event loop, in which others get something done.
      let turns = 0;
      let counting = true;
      const count = () => {
        turns++;
        if (counting) setImmediate(count);
      };
      setImmediate(count);
      expect((await put(...many)).hosts).toHaveLength(3_000);
      counting = false;
      expect(turns).toBeGreaterThan(5);
      await under.reopen();
      expect(await stored()).toEqual(many);
      expect(await under.storage.hookVersions(10)).toMatchObject([
        { version: 1, added: 3_000, replaced: 0, removed: 0 },
      ]);
      expect(await under.storage.hookDifferences(0, 1)).toHaveLength(3_000);
    });
  });

  describe("versions of the hooks", () => {
    test("say who, when, how many, and the first hosts; newest first, in pages", async () => {
      await put(A, B);
      await under.storage.changeHooks({ who: "tenant-a", at: NOW + 1 }, [A.host, B.host, C.host], () => [
        { host: A.host, after: A2 },
        { host: B.host },
        { host: C.host, after: C },
      ]);
      const [second, first] = [
        {
          version: 2,
          who: "tenant-a",
          at: NOW + 1,
          added: 1,
          replaced: 1,
          removed: 1,
          hosts: [A.host, B.host, C.host],
        },
        { version: 1, who: "ops", at: NOW, added: 2, replaced: 0, removed: 0, hosts: [A.host, B.host] },
      ];
      await under.reopen();
      expect(await under.storage.hookVersions(10)).toEqual([second, first]);
      expect(await under.storage.hookVersions(1)).toEqual([second]);
      expect(await under.storage.hookVersions(10, 2)).toEqual([first]);
      expect(await under.storage.hookVersions(10, 1)).toEqual([]);
    });

    test("name 20 hosts at most", async () => {
      const many = Array.from({ length: 30 }, (_, i) => ({ ...A, host: pattern(`h${i}.example.com`) }));
      await put(...many);
      const [version] = await under.storage.hookVersions(1);
      expect(version?.hosts).toEqual(many.slice(0, 20).map(hostOf));
    });

    test("differ in what their tables differ in, over several versions, and back", async () => {
      await put(A, B);
      await put(A2, C);
      await remove(B.host, C.host);
      await put(B);
      expect(await differences(1, 3)).toEqual([
        { host: A.host, before: A, after: A2 },
        { host: B.host, before: B },
      ]);
      expect(await differences(3, 1)).toEqual([
        { host: A.host, before: A2, after: A },
        { host: B.host, after: B },
      ]);
      // Removed and put again: the same.
      expect(await differences(1, 4)).toEqual([{ host: A.host, before: A, after: A2 }]);
      expect(await differences(0, 4)).toEqual([
        { host: A.host, after: A2 },
        { host: B.host, after: B },
      ]);
      expect(await differences(2, 2)).toEqual([]);
    });
  });

  describe("going back to a version", () => {
    const all = (those: readonly HostDifference[]): HookReplacement[] =>
      those.map(({ host, after }) => (after === undefined ? { host } : { host, after }));

    test("is given what differs from it now, and makes a version of what is chosen of that", async () => {
      await put(A, B);
      await put(A2, C);
      await remove(B.host);
      const seen: HostDifference[] = [];
      const change = await under.storage.restoreHooks(OPS, 1, (those) => {
        seen.push(...those);
        return all(those).filter(({ host }) => host !== C.host);
      });
      expect(new Set(seen)).toEqual(
        new Set([
          { host: A.host, before: A2, after: A },
          { host: B.host, after: B },
          { host: C.host, before: C },
        ]),
      );
      expect(change).toMatchObject({ version: 4 });
      expect(await stored()).toEqual([A, C, B]);
      expect(await differences(1, 4)).toEqual([{ host: C.host, after: C }]);
    });

    test("to the empty table, and to the present one, which makes no version", async () => {
      await put(A, B);
      expect((await under.storage.restoreHooks(OPS, 1, all)).hosts).toEqual([]);
      await under.storage.restoreHooks(OPS, 0, all);
      expect(await stored()).toEqual([]);
      expect(await versionCount()).toBe(2);
    });

    test("waits for the changes before it, and the ones after it for it", async () => {
      await put(A);
      await Promise.all([put(B), under.storage.restoreHooks(OPS, 1, all), put(C)]);
      expect(await stored()).toEqual([A, C]);
    });

    test("gives that version's table again, whatever was changed in between", async () => {
      const hosts = Array.from({ length: 12 }, (_, i) => pattern(`h${i}.example.com`));
      const tables: Map<string, StoredHook>[] = [new Map()];
      const table = () => new Map(tables.at(-1));
      // The same sequence in each run.
      let seed = 42;
      const random = (below: number) => {
        seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
        return Math.floor((seed / 2 ** 31) * below);
      };
      const change = async (present: PresentHooks, next: Map<string, StoredHook>): Promise<HookReplacement[]> => {
        return [...present.keys()].map((host) => {
          const after: StoredHook = { host, url: `https://x.example/${random(3)}`, authId: `tenant-${random(2)}` };
          if (random(3) === 0) {
            next.delete(host);
            return { host };
          }
          next.set(host, after);
          return { host, after };
        });
      };
      for (let step = 0; step < 60; step++) {
        const next = table();
        const newest = tables.length - 1;
        const target = random(4) === 0 ? random(tables.length) : undefined;
        const named = hosts.filter(() => random(4) === 0);
        const { version } =
          target === undefined
            ? await under.storage.changeHooks(OPS, named, (present) => change(present, next))
            : await under.storage.restoreHooks(OPS, target, all);
        if (version > newest) tables.push(target === undefined ? next : new Map(tables[target]));
        expect(version).toBe(tables.length - 1);
        expect(new Map((await stored()).map((hook) => [String(hook.host), hook]))).toEqual(table());
      }
      for (let i = 0; i < 30; i++) {
        const [from, to] = [random(tables.length), random(tables.length)];
        expect([from, to, await differences(from, to)]).toEqual([from, to, compare(tables[from], tables[to])]);
      }
    });
  });

  test("paused hooks stay paused through a reopening until they are resumed; who is paused already stays as it is", async () => {
    const [a, b, c] = [A, B, C].map(({ host, authId }) => hookId(host, authId));
    if (a === undefined || b === undefined || c === undefined) throw new Error("unreachable");
    await under.storage.pauseHooks([a], "it answered 410", NOW);
    await under.storage.pauseHooks([c, a, b], "maintenance", NOW + 1);
    await under.reopen();
    const paused = async () => (await under.storage.pausedHooks()).toSorted((x, y) => x.since - y.since);
    expect((await paused())[0]).toEqual({ hook: a, reason: "it answered 410", since: NOW });
    expect(new Set((await paused()).slice(1))).toEqual(
      new Set([b, c].map((hook) => ({ hook, reason: "maintenance", since: NOW + 1 }))),
    );
    await under.storage.resumeHooks([a, b], NOW + 2);
    expect((await paused()).map(({ hook }) => hook)).toEqual([c]);
  });
}

const hostOf = ({ host }: StoredHook): HostPattern => host;

function fail(): never {
  throw new RangeError("no");
}

function compare(from: ReadonlyMap<string, StoredHook> = new Map(), to: ReadonlyMap<string, StoredHook> = new Map()) {
  const hosts = [...new Set([...from.keys(), ...to.keys()])].toSorted();
  return hosts.flatMap((host) => {
    const [before, after] = [from.get(host), to.get(host)];
    if (Bun.deepEquals(before, after)) return [];
    return [{ host: pattern(host), ...(before && { before }), ...(after && { after }) }];
  });
}
