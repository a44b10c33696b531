import { expect, test } from "bun:test";
import { TenantLoad } from "../../../../plugins/webhook-forwarder/dispatcher/tenant-load";
import { hookNamed } from "./dispatching";

test("attempts count for all hooks of a tenant until they have ended, and for no other tenant's", () => {
  const load = new TenantLoad();
  const ends = [load.begin(hookNamed("a-1")), load.begin(hookNamed("a-2"))];
  expect([load.of(hookNamed("a-3")), load.of(hookNamed("b"))]).toEqual([2, 0]);
  ends[0]?.();
  expect(load.of(hookNamed("a-1"))).toBe(1);
  ends[1]?.();
  expect(load.of(hookNamed("a-1"))).toBe(0);
});

test("hooks that nobody owns count together when they are of one endpoint, and never with a tenant of that name", () => {
  const load = new TenantLoad();
  const hook = (name: string, url: string) => {
    const { authId: _, ...unowned } = hookNamed(name);
    return { ...unowned, url };
  };
  load.begin(hook("a", "https://hooks.example/a"));
  expect(load.of(hook("b", "https://hooks.example/b"))).toBe(1);
  expect(load.of(hook("c", "https://hooks.example:8443/c"))).toBe(0);
  expect(load.of({ ...hookNamed("d"), authId: "hooks.example" })).toBe(0);
});
