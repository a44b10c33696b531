import { describe, expect, test } from "bun:test";
import { systemClock } from "../../../../src/contracts/clock";
import { A, B, NOW } from "../../../../src/contracts/testing/sample-events";
import type { HookId } from "../../../../src/domain/ids";
import { ManualClock } from "../../../support/manual-clock";
import { run } from "../../../support/postgres";
import { everyHook, joined, twoInstances } from "./two-instances";

const under = twoInstances();

describe("one tells the others", () => {
  async function waitFor(condition: () => boolean): Promise<void> {
    const from = performance.now();
    while (!condition()) {
      if (performance.now() - from > 60_000) throw new Error("nothing was told");
      await Bun.sleep(5);
    }
  }

  test("of work that it does not take itself", async () => {
    // The clock of `two` stands still, so that it does not look by itself.
    const [sender, listener] = [await under.storages.open(systemClock), under.two];
    const told: HookId[] = [];
    listener.onWork?.((hooks) => told.push(...hooks));
    await sender.commit([joined(1)], everyHook);
    await waitFor(() => told.includes(A));
  });

  test("of nothing that it takes at once", async () => {
    const clock = new ManualClock();
    const sender = await under.storages.open(clock);
    const told: HookId[] = [];
    under.two.onWork?.((hooks) => told.push(...hooks));
    await sender.commit([joined(1, B)], everyHook);
    await sender.claim(B, { now: NOW, limit: 10, busy: new Set() });
    await sender.commit([joined(2)], everyHook);
    await clock.turn(100);
    await waitFor(() => told.length > 0);
    expect(told).toEqual([A]);
  });

  test("of changed, paused and resumed hooks", async () => {
    let changes = 0;
    under.two.onHooksChanged?.(() => changes++);
    for (const change of [
      () => under.one.changeHooks({ who: "ops", at: NOW }, [], () => []),
      () => under.one.pauseHooks([A], "it answered 410", NOW),
      () => under.one.resumeHooks([A], NOW),
    ]) {
      const before = changes;
      await change();
      await waitFor(() => changes > before);
    }
  });

  test("and looks by itself for changes of hooks that it was not told of, also those from before it listened", async () => {
    const looking = await under.storages.open(systemClock);
    // Nobody tells: it is written past the storage.
    const change = (version: number) =>
      run(under.storages.url, `insert into sayna_sip.hook_changes values (${version}, 'ops', 0, 0, 0, 0, '[]')`);
    await change(1);
    await Bun.sleep(1_300);
    let changes = 0;
    looking.onHooksChanged?.(() => changes++);
    await waitFor(() => changes === 1);
    await change(2);
    await waitFor(() => changes === 2);
    await run(under.storages.url, `insert into sayna_sip.paused_hooks values ('${A}', 'it answered 410', 0)`);
    await waitFor(() => changes === 3);
  });

  test("and looks by itself for what it was not told of", async () => {
    const looking = await under.storages.open(systemClock);
    const found: HookId[] = [];
    looking.onWork?.((hooks) => found.push(...hooks));
    // The clock of `one` stands still, so that it tells nobody.
    await under.one.commit([joined(1)], everyHook);
    await waitFor(() => found.includes(A));
  });
});
