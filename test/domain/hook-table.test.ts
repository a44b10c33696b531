import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { hookId, type Hook } from "../../src/domain/hook";
import { HookTable, type TableChange } from "../../src/domain/hook-table";
import { normalizeHost, type Host } from "../../src/domain/host";
import { pattern } from "../support/webhooks";

function hook(host: string, authId?: string, url = "https://x.example/", source: Hook["source"] = "runtime"): Hook {
  const found = pattern(host);
  return { id: hookId(found, authId), host: found, url, source, ...(authId === undefined ? {} : { authId }) };
}

function called(text: string): Host {
  const found = normalizeHost(text);
  if (found === undefined) throw new Error(`${text} is no host`);
  return found;
}

const put = (...hooks: Hook[]): TableChange[] => hooks.map((each) => ({ host: each.host, hook: each }));
const remove = (...hosts: string[]): TableChange[] => hosts.map((each) => ({ host: pattern(each) }));
const hostsOf = (hooks: readonly Hook[]) => hooks.map((each) => String(each.host));

const FIXED = hook("fixed.example.com", "a", "https://fixed.example/", "config");
const [A, B, C] = [hook("a.example.com", "a"), hook("*.b.example.com", "b"), hook("c.example.com")];

describe("a change of the table", () => {
  test("counts at once, for every way to look a hook up", () => {
    const table = new HookTable([FIXED]);
    expect(table.exact(called("a.example.com"))).toBeUndefined();
    table.change(put(A, B));
    expect(table.exact(called("a.example.com"))).toBe(A);
    expect(table.wildcard(called("x.y.b.example.com"))).toBe(B);
    expect(table.byPattern(B.host)).toBe(B);
    expect(table.byId(A.id)).toBe(A);
    expect(table.ofTenant("b")).toEqual([B]);
    expect([table.size, hostsOf(table.all())]).toEqual([3, ["fixed.example.com", "a.example.com", "*.b.example.com"]]);
    table.change(remove("a.example.com", "*.b.example.com"));
    expect(table.exact(called("a.example.com"))).toBeUndefined();
    expect(table.wildcard(called("x.y.b.example.com"))).toBeUndefined();
    expect([table.byId(A.id), table.byPattern(A.host), table.ofTenant("b")]).toEqual([undefined, undefined, []]);
    expect(table.all()).toEqual([FIXED]);
  });

  test("a replaced hook keeps its place, a new one comes last, also one that was removed before", () => {
    const table = new HookTable([FIXED], [A, B, C]);
    table.change(put(hook("a.example.com", "a", "https://new.example/")));
    expect(hostsOf(table.all())).toEqual(["fixed.example.com", "a.example.com", "*.b.example.com", "c.example.com"]);
    table.change(remove("a.example.com"));
    table.change(put(A));
    expect(hostsOf(table.all())).toEqual(["fixed.example.com", "*.b.example.com", "c.example.com", "a.example.com"]);
  });

  test("a host of the configuration is left alone", () => {
    const table = new HookTable([FIXED], [hook("fixed.example.com", "b")]);
    expect(table.all()).toEqual([FIXED]);
    expect(table.change([...put(hook("fixed.example.com", "b")), ...remove("fixed.example.com")])).toEqual([]);
    expect([table.all(), table.ofTenant("a"), table.ofTenant("b")]).toEqual([[FIXED], [FIXED], []]);
  });

  test("says which ids no hook has any more: of removed hooks, and of those that went to another tenant", () => {
    const table = new HookTable([FIXED], [A, B, C]);
    const moved = hook("*.b.example.com", "a");
    expect(table.change([...put(hook("a.example.com", "a", "https://new.example/"), moved)])).toEqual([B.id]);
    expect([table.byId(B.id), table.ofTenant("b")]).toEqual([undefined, []]);
    expect(hostsOf(table.ofTenant("a"))).toEqual(["fixed.example.com", "a.example.com", "*.b.example.com"]);
    expect(table.change(remove("c.example.com", "none.example.com"))).toEqual([C.id]);
  });

  test("leaves a list that was taken before as it was", () => {
    const table = new HookTable([FIXED], [A]);
    const before = table.all();
    expect(table.all()).toBe(before);
    table.change(put(B));
    expect([hostsOf(before), table.all().length]).toEqual([["fixed.example.com", "a.example.com"], 3]);
  });

  test("makes the table that one made anew of the same hooks is", () => {
    const hosts = ["fixed.example.com", "h1.example.com", "h2.example.com", "*.h3.example.com", "h4.example.com"];
    const tenant = fc.constantFrom("a", "b", undefined);
    const change = fc.record({ host: fc.constantFrom(...hosts), tenant, remove: fc.boolean(), url: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 12 }), (steps) => {
        const table = new HookTable([FIXED]);
        const model = new Map<string, Hook>();
        for (const step of steps) {
          const changes = step.map((each) =>
            each.remove ? remove(each.host) : put(hook(each.host, each.tenant, `https://x.example/${each.url}`)),
          );
          const before = new Set(table.all().map(({ id }) => id));
          const gone = table.change(changes.flat());
          for (const { host: changed, hook: after } of changes.flat()) {
            if (changed === FIXED.host) continue;
            if (after === undefined) model.delete(changed);
            else model.set(changed, after);
          }
          const there = new Set(table.all().map(({ id }) => id));
          for (const id of before) expect(gone.includes(id) || there.has(id)).toBe(true);
        }
        const anew = new HookTable([FIXED], [...model.values()]);
        expect(table.all()).toEqual(anew.all());
        expect(table.size).toBe(anew.size);
        for (const each of anew.all()) {
          expect([table.byId(each.id), table.byPattern(each.host)]).toEqual([each, each]);
        }
        for (const each of ["a", "b"]) {
          expect(new Set(table.ofTenant(each))).toEqual(new Set(anew.all().filter(({ authId }) => authId === each)));
        }
      }),
    );
  });
});
