import { describe, expect, test } from "bun:test";
import { systemClock } from "../../../../src/contracts/clock";
import { A, event, NOW } from "../../../../src/contracts/testing/sample-events";
import { settled } from "../../../support/storages";
import { claim, claimWhenFree, delivered, everyHook, joined, room, twoInstances } from "./two-instances";

const under = twoInstances();

describe("leases", () => {
  test("what an instance does not renew is handed to the other one", async () => {
    await under.one.commit([joined(1)], everyHook);
    const first = await claimWhenFree(under.one);
    await under.storages.endLeases();
    expect(await claimWhenFree(under.two)).toEqual(first);
  });

  test("an instance whose lease has ended cannot settle, but what it did is recorded", async () => {
    await under.one.commit([joined(1), event("room_finished", { room: room(1) })], everyHook);
    const late = await claimWhenFree(under.one);
    await under.storages.endLeases();
    const taken = await claimWhenFree(under.two);
    await under.one.settle([settled(late, delivered, NOW + 1)]);
    expect((await claim(under.one)).deliveries).toEqual([]);
    const meanwhile = await under.two.delivery(taken.id, "operator");
    expect(meanwhile).toMatchObject({ state: "pending", attempts: 1 });
    await under.two.settle([
      settled(taken, { kind: "retry", dueAt: NOW + 5_000, wait: 5_000, counts: true, refusal: false }, NOW + 2),
    ]);
    const after = await under.two.delivery(taken.id, "operator");
    expect(after).toMatchObject({ state: "pending", attempts: 2, nextTry: NOW + 5_000 });
    expect(after?.tries.map(({ n, startedAt }) => [n, startedAt])).toEqual([
      [1, NOW + 1],
      [2, NOW + 2],
    ]);
  });

  test("an instance is not handed again what another one has taken over", async () => {
    await under.one.commit([joined(1)], everyHook);
    await claimWhenFree(under.one);
    await under.storages.endLeases();
    await claimWhenFree(under.two);
    expect(await claim(under.one)).toEqual({ deliveries: [], nextDue: undefined });
  });

  test("late news that a delivery arrived does not end it again, nor move its lane", async () => {
    await under.one.commit([joined(1), event("room_finished", { room: room(1) })], everyHook);
    const late = await claimWhenFree(under.one);
    await under.storages.endLeases();
    const taken = await claimWhenFree(under.two);
    await under.two.settle([settled(taken, delivered, NOW + 2)]);
    const [next] = (await claim(under.two, 10, NOW + 2)).deliveries;
    await under.one.settle([settled(late, { kind: "dead", reason: "no" }, NOW + 3)]);
    expect(await under.one.delivery(late.id, "operator")).toMatchObject({ state: "delivered", settledAt: NOW + 2 });
    expect((await claim(under.one, 10, NOW + 3)).deliveries).toEqual([]);
    expect(next?.eventName).toBe("room_finished");
    if (next !== undefined) await under.two.settle([settled(next, delivered, NOW + 4)]);
    expect(await under.one.waitingHooks()).toEqual([]);
  });

  test("a settlement whose end nobody heard may be given again", async () => {
    await under.one.commit([joined(1), event("room_finished", { room: room(1) })], everyHook);
    const first = await claimWhenFree(under.one);
    const settlement = settled(first, delivered, NOW);
    await under.one.settle([settlement]);
    await under.one.settle([settlement]);
    expect(await under.one.delivery(first.id, "operator")).toMatchObject({ state: "delivered", attempts: 1 });
    expect((await claim(under.two)).deliveries.map(({ eventName }) => eventName)).toEqual(["room_finished"]);
  });

  test("an instance that still sends what its lease has ended for takes it again, if nobody has", async () => {
    await under.one.commit([joined(1)], everyHook);
    const first = await claimWhenFree(under.one);
    await under.storages.endLeases();
    const isFree = async () => (await under.one.claim(A, { now: NOW, limit: 1, busy: new Set([first.lane]) })).nextDue;
    while ((await isFree()) !== undefined) await Bun.sleep(50);
    // One more look: the first one may have come before the lease was taken away.
    await Bun.sleep(3_000);
    await isFree();
    expect((await claim(under.two)).deliveries).toEqual([]);
    await under.one.settle([settled(first, delivered, NOW)]);
    expect(await under.one.delivery(first.id, "operator")).toMatchObject({ state: "delivered" });
  }, 240_000);

  test("are renewed while the instance lives", async () => {
    const alive = await under.storages.open(systemClock);
    await under.one.commit([joined(1)], everyHook);
    const first = await claimWhenFree(alive);
    for (let i = 0; i < 5; i++) {
      await Bun.sleep(3_000);
      expect((await claim(under.two)).deliveries).toEqual([]);
    }
    await alive.settle([settled(first, delivered, NOW)]);
    expect(await under.one.delivery(first.id, "operator")).toMatchObject({ state: "delivered" });
  }, 240_000);
});
