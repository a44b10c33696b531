import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { systemClock } from "../../../../src/contracts/clock";
import type { IncomingEvent, PendingDelivery, Storage } from "../../../../src/contracts/storage";
import { A, B, event, nobody, NOW, sip, to } from "../../../../src/contracts/testing/sample-events";
import { newCall } from "../../../../src/domain/call";
import { roomSid, type HookId } from "../../../../src/domain/ids";
import { readLiveKitEvent } from "../../../../src/domain/livekit-event";
import { routeAgain } from "../../../../src/domain/route-again";
import { run } from "../../../support/postgres";
import { openStorages, settled, type Storages } from "../../../support/storages";

const everyHook = () => "ordered" as const;
const delivered = { kind: "delivered" } as const;

let storages: Storages;
let one: Storage;
let two: Storage;

beforeEach(async () => {
  storages = await openStorages(2);
  [one, two] = storages.all as [Storage, Storage];
});

afterEach(() => storages.remove());

function room(i: number | string) {
  return { sid: `RM_${i}`, name: `sip-${i}` };
}

function joined(i: number | string, hook: HookId = A): IncomingEvent {
  const host = hook === A ? "a.example.com" : "b.example.com";
  return event("participant_joined", { room: room(i), participant: sip(`PA_${i}`) }, to(hook, host));
}

async function claim(storage: Storage, limit = 10, now = NOW, busy: readonly number[] = []) {
  return storage.claim(A, { now, limit, busy: new Set(busy) });
}

/** Waits, in the server's time, until this instance is handed something. */
async function claimWhenFree(storage: Storage): Promise<PendingDelivery> {
  for (let i = 0; i < 200; i++) {
    const [delivery] = (await claim(storage, 1)).deliveries;
    if (delivery !== undefined) return delivery;
    await Bun.sleep(50);
  }
  throw new Error("nothing was handed out");
}

/** Sends all there is as the dispatcher does, several lanes at a time; the names by room, in the order of their sending. */
async function drain(storage: Storage, hook: HookId, sent: Map<string, string[]>): Promise<void> {
  for (;;) {
    const { deliveries } = await storage.claim(hook, { now: NOW, limit: 7, busy: new Set() });
    if (deliveries.length === 0) return;
    for (const { roomSid: sid = "", eventName } of deliveries) sent.set(sid, [...(sent.get(sid) ?? []), eventName]);
    await storage.settle(deliveries.map((delivery) => settled(delivery, delivered, NOW)));
  }
}

describe("lanes", () => {
  test("no lane is handed out to two instances", async () => {
    await one.commit(
      Array.from({ length: 40 }, (_, i) => joined(i)),
      everyHook,
    );
    const claims = await Promise.all([claim(one, 15), claim(two, 15)]);
    const lanes = claims.flatMap(({ deliveries }) => deliveries.map(({ lane }) => lane));
    expect(new Set(lanes).size).toBe(30);
    expect(lanes).toHaveLength(30);
  });

  test("each delivery of each lane goes out once and in order, whoever sends it", async () => {
    const names = Array.from({ length: 10 }, (_, i) => `event_${i}`);
    for (let i = 0; i < 12; i++) {
      await one.commit([joined(i), ...names.map((name) => event(name, { room: room(i) }))], everyHook);
    }
    const sent = new Map<string, string[]>();
    const third = await storages.open();
    await Promise.all([one, two, third].map((storage) => drain(storage, A, sent)));
    await drain(one, A, sent);
    expect(sent.size).toBe(12);
    for (const all of sent.values()) expect(all).toEqual(["participant_joined", ...names]);
  });

  test("20 events of one lane in one transaction go out in exactly their order, to both instances in turn", async () => {
    const names = Array.from({ length: 19 }, (_, i) => `event_${i}`);
    await one.commit([joined(1), ...names.map((name) => event(name, { room: room(1) }))], everyHook);
    const sent: string[] = [];
    for (let i = 0; i < 20; i++) {
      const storage = i % 2 === 0 ? one : two;
      const [delivery] = (await claim(storage)).deliveries;
      if (delivery === undefined) throw new Error(`nothing was handed out after ${sent.join(", ")}`);
      sent.push(delivery.eventName);
      await storage.settle([settled(delivery, delivered, NOW)]);
    }
    expect(sent).toEqual(["participant_joined", ...names]);
  });

  test("a delivery that is dead in mid-lane frees the next one, for the other instance as well", async () => {
    const events = ["event_1", "event_2"].map((name) => event(name, { room: room(1) }));
    await one.commit([joined(1), ...events], everyHook);
    const first = await claimWhenFree(one);
    await one.settle([settled(first, delivered, NOW)]);
    const second = await claimWhenFree(two);
    await two.settle([settled(second, { kind: "dead", reason: "6 attempts failed" }, NOW)]);
    expect((await claim(one)).deliveries.map(({ eventName }) => eventName)).toEqual(["event_2"]);
  });

  test("a retry waits for exactly its time, which the other instance knows as well", async () => {
    await one.commit([joined(1), event("room_finished", { room: room(1) })], everyHook);
    const first = await claimWhenFree(one);
    const retry = { kind: "retry", dueAt: NOW + 3_700, wait: 3_700, counts: true, refusal: false } as const;
    await one.settle([settled(first, retry, NOW)]);
    expect(await claim(two, 10, NOW + 3_699)).toEqual({ deliveries: [], nextDue: NOW + 3_700 });
    const [again] = (await claim(two, 10, NOW + 3_700)).deliveries;
    expect(again).toMatchObject({ id: first.id, attempts: 1, failures: 1 });
  });

  test("what an instance has is nobody else's next one", async () => {
    await one.commit([joined(1)], everyHook);
    await claimWhenFree(one);
    expect(await claim(two)).toEqual({ deliveries: [], nextDue: undefined });
    expect(await claim(two, 1, Infinity)).toEqual({ deliveries: [], nextDue: undefined });
  });

  test("what an instance is handed and does not send it is handed again", async () => {
    await one.commit([joined(1)], everyHook);
    const first = await claimWhenFree(one);
    expect((await claim(one)).deliveries).toEqual([first]);
    expect((await claim(one, 10, NOW, [first.lane])).deliveries).toEqual([]);
  });

  test("a lane that is avoided stays free for the others", async () => {
    await one.commit([joined(1), joined(2)], everyHook);
    const [first] = (await claim(one, 1)).deliveries;
    if (first === undefined) throw new Error("nothing was handed out");
    await one.settle([
      settled(first, { kind: "retry", dueAt: NOW + 60_000, wait: 60_000, counts: false, refusal: false }, NOW),
    ]);
    const probed = (await claim(two, 1, Infinity, [first.lane])).deliveries;
    expect(probed.map(({ lane }) => lane)).not.toContain(first.lane);
    expect((await claim(one, 2, Infinity)).deliveries.map(({ lane }) => lane)).toEqual([first.lane]);
  });

  test("an instance that closes leaves what it has to the others at once", async () => {
    await one.commit([joined(1)], everyHook);
    const third = await storages.open();
    const first = await claimWhenFree(third);
    await third.close();
    expect((await claim(two)).deliveries).toEqual([first]);
  });
});

test("what pg-boss has forgotten is found at the next start, and goes out in order", async () => {
  const events = ["event_1", "event_2"].map((name) => event(name, { room: room(1) }));
  await one.commit([joined(1), ...events, joined(2)], everyHook);
  await run(storages.url, "delete from sayna_sip_jobs.job");
  expect((await claim(two)).deliveries).toEqual([]);
  const third = await storages.open();
  const sent = new Map<string, string[]>();
  await drain(third, A, sent);
  expect(Object.fromEntries(sent)).toEqual({
    RM_1: ["participant_joined", "event_1", "event_2"],
    RM_2: ["participant_joined"],
  });
});

describe("leases", () => {
  test("what an instance does not renew is handed to the other one", async () => {
    await one.commit([joined(1)], everyHook);
    const first = await claimWhenFree(one);
    await storages.endLeases();
    expect(await claimWhenFree(two)).toEqual(first);
  });

  test("an instance whose lease has ended cannot settle, but what it did is recorded", async () => {
    await one.commit([joined(1), event("room_finished", { room: room(1) })], everyHook);
    const late = await claimWhenFree(one);
    await storages.endLeases();
    const taken = await claimWhenFree(two);
    await one.settle([settled(late, delivered, NOW + 1)]);
    expect((await claim(one)).deliveries).toEqual([]);
    const meanwhile = await two.delivery(taken.id, "operator");
    expect(meanwhile).toMatchObject({ state: "pending", attempts: 1 });
    await two.settle([
      settled(taken, { kind: "retry", dueAt: NOW + 5_000, wait: 5_000, counts: true, refusal: false }, NOW + 2),
    ]);
    const after = await two.delivery(taken.id, "operator");
    expect(after).toMatchObject({ state: "pending", attempts: 2, nextTry: NOW + 5_000 });
    expect(after?.tries.map(({ n, startedAt }) => [n, startedAt])).toEqual([
      [1, NOW + 1],
      [2, NOW + 2],
    ]);
  });

  test("an instance is not handed again what another one has taken over", async () => {
    await one.commit([joined(1)], everyHook);
    await claimWhenFree(one);
    await storages.endLeases();
    await claimWhenFree(two);
    expect(await claim(one)).toEqual({ deliveries: [], nextDue: undefined });
  });

  test("late news that a delivery arrived does not end it again, nor move its lane", async () => {
    await one.commit([joined(1), event("room_finished", { room: room(1) })], everyHook);
    const late = await claimWhenFree(one);
    await storages.endLeases();
    const taken = await claimWhenFree(two);
    await two.settle([settled(taken, delivered, NOW + 2)]);
    const [next] = (await claim(two, 10, NOW + 2)).deliveries;
    await one.settle([settled(late, { kind: "dead", reason: "no" }, NOW + 3)]);
    expect(await one.delivery(late.id, "operator")).toMatchObject({ state: "delivered", settledAt: NOW + 2 });
    expect((await claim(one, 10, NOW + 3)).deliveries).toEqual([]);
    expect(next?.eventName).toBe("room_finished");
    if (next !== undefined) await two.settle([settled(next, delivered, NOW + 4)]);
    expect(await one.waitingHooks()).toEqual([]);
  });

  test("a settlement whose end nobody heard may be given again", async () => {
    await one.commit([joined(1), event("room_finished", { room: room(1) })], everyHook);
    const first = await claimWhenFree(one);
    const settlement = settled(first, delivered, NOW);
    await one.settle([settlement]);
    await one.settle([settlement]);
    expect(await one.delivery(first.id, "operator")).toMatchObject({ state: "delivered", attempts: 1 });
    expect((await claim(two)).deliveries.map(({ eventName }) => eventName)).toEqual(["room_finished"]);
  });

  test("an instance that still sends what its lease has ended for takes it again, if nobody has", async () => {
    await one.commit([joined(1)], everyHook);
    const first = await claimWhenFree(one);
    await storages.endLeases();
    const isFree = async () => (await one.claim(A, { now: NOW, limit: 1, busy: new Set([first.lane]) })).nextDue;
    while ((await isFree()) !== undefined) await Bun.sleep(50);
    // One more look: the first one may have come before the lease was taken away.
    await Bun.sleep(3_000);
    await isFree();
    expect((await claim(two)).deliveries).toEqual([]);
    await one.settle([settled(first, delivered, NOW)]);
    expect(await one.delivery(first.id, "operator")).toMatchObject({ state: "delivered" });
  }, 240_000);

  test("are renewed while the instance lives", async () => {
    const alive = await storages.open(systemClock);
    await one.commit([joined(1)], everyHook);
    const first = await claimWhenFree(alive);
    for (let i = 0; i < 5; i++) {
      await Bun.sleep(3_000);
      expect((await claim(two)).deliveries).toEqual([]);
    }
    await alive.settle([settled(first, delivered, NOW)]);
    expect(await one.delivery(first.id, "operator")).toMatchObject({ state: "delivered" });
  }, 240_000);
});

describe("three instances that handle one room", () => {
  /** The events of a call that two tenants' callers are in, with an agent and what nobody may see of each other. */
  function conference(i: number): IncomingEvent[] {
    const participant = (sid: string) => ({ sid: `${sid}_${i}` });
    const a = { ...sip(`PA_a_${i}`) };
    const b = { ...sip(`PA_b_${i}`) };
    return [
      event("room_started", { room: room(i) }),
      event("participant_joined", { room: room(i), participant: a }, to(A, "a.example.com")),
      event("participant_joined", { room: room(i), participant: b }, to(B, "b.example.com")),
      event("participant_joined", { room: room(i), participant: { ...participant("PA_agent"), kind: "AGENT" } }),
      event("track_published", { room: room(i), participant: participant("PA_agent") }),
      event("track_published", { room: room(i), participant: participant("PA_a") }),
      event("track_published", { room: room(i), participant: participant("PA_b") }),
      event("participant_joined", { room: room(i), participant: sip(`PA_c_${i}`) }, nobody("c.example.com")),
      event("participant_left", { room: room(i), participant: a }, to(A, "a.example.com")),
      event("room_finished", { room: room(i) }),
    ];
  }

  test("route each event as one instance would that sees them in the order in which they were kept", async () => {
    const rooms = Array.from({ length: 15 }, (_, i) => conference(i));
    const instances = [one, two, await storages.open()];
    const matches = new Map(rooms.flat().map(({ event: { id }, match }) => [String(id), match]));
    // Every room's events go to all of them in turn, in batches that run at the same time.
    const commits: Promise<unknown>[] = [];
    for (let step = 0; step < 10; step++) {
      const batch = rooms.flatMap((events) => events[step] ?? []);
      for (const [i, instance] of instances.entries()) {
        const part = batch.filter((_, n) => (n + step) % instances.length === i);
        commits.push(instance.commit(part, everyHook));
      }
    }
    await Promise.all(commits);

    for (let i = 0; i < rooms.length; i++) {
      const sid = roomSid(`RM_${i}`);
      const { entries } = await one.timeline(sid, "operator", { limit: 100 });
      expect(entries).toHaveLength(10);
      const events = entries.map(({ eventId }) => {
        const found = rooms[i]?.find((incoming) => incoming.event.id === eventId);
        if (found === undefined) throw new Error(`${eventId} is not of this room`);
        return found;
      });
      const routed = routeAgain(
        sid,
        newCall(sid, `sip-${i}`).roomName,
        events.map(({ body, event: { id } }) => ({
          event: readLiveKitEvent(JSON.parse(new TextDecoder().decode(body)), body),
          match: matches.get(String(id)),
        })),
      );
      const kept = entries.flatMap(({ deliveries }, at) =>
        deliveries.map(({ id, hook }) => ({ id, hook: hook.id, event: at })),
      );
      const inOrder = kept.toSorted((a, b) => a.id - b.id).map(({ hook, event: at }) => ({ event: at, hook }));
      for (const hook of [A, B]) {
        expect(inOrder.filter((d) => d.hook === hook)).toEqual(routed.deliveries.filter((d) => d.hook === hook));
      }
    }
  }, 240_000);

  test("keep an event once that comes to both at the same time", async () => {
    const events = Array.from({ length: 20 }, (_, i) => joined(i % 5));
    const nameless = Array.from({ length: 5 }, (_, i) => event("egress_ended", { room: { name: `sip-other-${i}` } }));
    const results = await Promise.all(
      [one, two, one, two].map((storage, i) => {
        const all = [...events, ...nameless];
        return storage.commit(i % 2 === 0 ? all : all.toReversed(), everyHook);
      }),
    );
    const kept = results.flat().filter(({ kind }) => kind === "kept");
    expect(kept).toHaveLength(25);
  });
});

describe("one tells the others", () => {
  async function waitFor(condition: () => boolean): Promise<number> {
    const from = performance.now();
    while (!condition()) {
      if (performance.now() - from > 5_000) throw new Error("nothing was told");
      await Bun.sleep(5);
    }
    return performance.now() - from;
  }

  test("of work that it does not take itself", async () => {
    const [sender, listener] = [await storages.open(systemClock), two];
    const told: HookId[] = [];
    listener.onWork?.((hooks) => told.push(...hooks));
    await sender.commit([joined(1)], everyHook);
    expect(await waitFor(() => told.includes(A))).toBeLessThan(900);
  });

  test("of nothing that it takes at once", async () => {
    const sender = await storages.open(systemClock);
    const told: HookId[] = [];
    two.onWork?.((hooks) => told.push(...hooks));
    await sender.commit([joined(1, B)], everyHook);
    await sender.claim(B, { now: NOW, limit: 10, busy: new Set() });
    await sender.commit([joined(2)], everyHook);
    await waitFor(() => told.length > 0);
    expect(told).toEqual([A]);
  });

  test("of changed, paused and resumed hooks, within a second", async () => {
    let changes = 0;
    two.onHooksChanged?.(() => changes++);
    for (const change of [
      () => one.changeHooks({ who: "ops", at: NOW }, [], () => []),
      () => one.pauseHooks([A], "it answered 410", NOW),
      () => one.resumeHooks([A], NOW),
    ]) {
      const before = changes;
      await change();
      expect(await waitFor(() => changes > before)).toBeLessThan(1_000);
    }
  });

  test("and looks every second for changes of hooks that it was not told of, also those from before it listened", async () => {
    const looking = await storages.open(systemClock);
    // Nobody tells: it is written past the storage.
    const change = (version: number) =>
      run(storages.url, `insert into sayna_sip.hook_changes values (${version}, 'ops', 0, 0, 0, 0, '[]')`);
    await change(1);
    await Bun.sleep(1_300);
    let changes = 0;
    looking.onHooksChanged?.(() => changes++);
    expect(await waitFor(() => changes === 1)).toBeLessThan(1_500);
    await change(2);
    expect(await waitFor(() => changes === 2)).toBeLessThan(1_500);
    await run(storages.url, `insert into sayna_sip.paused_hooks values ('${A}', 'it answered 410', 0)`);
    expect(await waitFor(() => changes === 3)).toBeLessThan(1_500);
  });

  test("and looks every second for what it was not told of", async () => {
    const looking = await storages.open(systemClock);
    const found: HookId[] = [];
    looking.onWork?.((hooks) => found.push(...hooks));
    // The clock of `one` stands still, so that it tells nobody.
    await one.commit([joined(1)], everyHook);
    expect(await waitFor(() => found.includes(A))).toBeLessThan(2_000);
  });
});

test("what only one may do at a time is done by one at a time", async () => {
  const [first, second] = [await storages.open(systemClock), await storages.open(systemClock)];
  const steps: string[] = [];
  const work = (name: string) => async () => {
    steps.push(`${name} begins`);
    await Bun.sleep(50);
    steps.push(`${name} ends`);
    return name;
  };
  const results = [first.exclusive?.("provision", work("first")), second.exclusive?.("provision", work("second"))];
  expect(await Promise.all(results)).toEqual(["first", "second"]);
  expect(steps.map((step) => step.split(" ")[1])).toEqual(["begins", "ends", "begins", "ends"]);
});
