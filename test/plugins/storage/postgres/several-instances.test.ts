import { describe, expect, test } from "bun:test";
import { A, event, NOW } from "../../../../src/contracts/testing/sample-events";
import { systemClock } from "../../../../src/contracts/clock";
import { run } from "../../../support/postgres";
import { settled } from "../../../support/storages";
import { claim, claimWhenFree, delivered, drain, everyHook, joined, room, twoInstances } from "./two-instances";

const under = twoInstances();

describe("lanes", () => {
  test("no lane is handed out to two instances", async () => {
    await under.one.commit(
      Array.from({ length: 40 }, (_, i) => joined(i)),
      everyHook,
    );
    const claims = await Promise.all([claim(under.one, 15), claim(under.two, 15)]);
    const lanes = claims.flatMap(({ deliveries }) => deliveries.map(({ lane }) => lane));
    expect(new Set(lanes).size).toBe(30);
    expect(lanes).toHaveLength(30);
  });

  test("each delivery of each lane goes out once and in order, whoever sends it", async () => {
    const names = Array.from({ length: 10 }, (_, i) => `event_${i}`);
    for (let i = 0; i < 12; i++) {
      await under.one.commit([joined(i), ...names.map((name) => event(name, { room: room(i) }))], everyHook);
    }
    const sent = new Map<string, string[]>();
    const third = await under.storages.open();
    await Promise.all([under.one, under.two, third].map((storage) => drain(storage, A, sent)));
    await drain(under.one, A, sent);
    expect(sent.size).toBe(12);
    for (const all of sent.values()) expect(all).toEqual(["participant_joined", ...names]);
  });

  test("20 events of one lane in one transaction go out in exactly their order, to both instances in turn", async () => {
    const names = Array.from({ length: 19 }, (_, i) => `event_${i}`);
    await under.one.commit([joined(1), ...names.map((name) => event(name, { room: room(1) }))], everyHook);
    const sent: string[] = [];
    for (let i = 0; i < 20; i++) {
      const storage = i % 2 === 0 ? under.one : under.two;
      const [delivery] = (await claim(storage)).deliveries;
      if (delivery === undefined) throw new Error(`nothing was handed out after ${sent.join(", ")}`);
      sent.push(delivery.eventName);
      await storage.settle([settled(delivery, delivered, NOW)]);
    }
    expect(sent).toEqual(["participant_joined", ...names]);
  });

  test("a delivery that is dead in mid-lane frees the next one, for the other instance as well", async () => {
    const events = ["event_1", "event_2"].map((name) => event(name, { room: room(1) }));
    await under.one.commit([joined(1), ...events], everyHook);
    const first = await claimWhenFree(under.one);
    await under.one.settle([settled(first, delivered, NOW)]);
    const second = await claimWhenFree(under.two);
    await under.two.settle([settled(second, { kind: "dead", reason: "6 attempts failed" }, NOW)]);
    expect((await claim(under.one)).deliveries.map(({ eventName }) => eventName)).toEqual(["event_2"]);
  });

  test("a retry waits for exactly its time, which the other instance knows as well", async () => {
    await under.one.commit([joined(1), event("room_finished", { room: room(1) })], everyHook);
    const first = await claimWhenFree(under.one);
    const retry = { kind: "retry", dueAt: NOW + 3_700, wait: 3_700, counts: true, refusal: false } as const;
    await under.one.settle([settled(first, retry, NOW)]);
    expect(await claim(under.two, 10, NOW + 3_699)).toEqual({ deliveries: [], nextDue: NOW + 3_700 });
    const [again] = (await claim(under.two, 10, NOW + 3_700)).deliveries;
    expect(again).toMatchObject({ id: first.id, attempts: 1, failures: 1 });
  });

  test("what an instance has is nobody else's next one", async () => {
    await under.one.commit([joined(1)], everyHook);
    await claimWhenFree(under.one);
    expect(await claim(under.two)).toEqual({ deliveries: [], nextDue: undefined });
    expect(await claim(under.two, 1, Infinity)).toEqual({ deliveries: [], nextDue: undefined });
  });

  test("what an instance is handed and does not send it is handed again", async () => {
    await under.one.commit([joined(1)], everyHook);
    const first = await claimWhenFree(under.one);
    expect((await claim(under.one)).deliveries).toEqual([first]);
    expect((await claim(under.one, 10, NOW, [first.lane])).deliveries).toEqual([]);
  });

  test("a lane that is avoided stays free for the others", async () => {
    await under.one.commit([joined(1), joined(2)], everyHook);
    const [first] = (await claim(under.one, 1)).deliveries;
    if (first === undefined) throw new Error("nothing was handed out");
    await under.one.settle([
      settled(first, { kind: "retry", dueAt: NOW + 60_000, wait: 60_000, counts: false, refusal: false }, NOW),
    ]);
    const probed = (await claim(under.two, 1, Infinity, [first.lane])).deliveries;
    expect(probed.map(({ lane }) => lane)).not.toContain(first.lane);
    expect((await claim(under.one, 2, Infinity)).deliveries.map(({ lane }) => lane)).toEqual([first.lane]);
  });

  test("an instance that closes leaves what it has to the others at once", async () => {
    await under.one.commit([joined(1)], everyHook);
    const third = await under.storages.open();
    const first = await claimWhenFree(third);
    await third.close();
    expect((await claim(under.two)).deliveries).toEqual([first]);
  });
});

test("what pg-boss has forgotten is found at the next start, and goes out in order", async () => {
  const events = ["event_1", "event_2"].map((name) => event(name, { room: room(1) }));
  await under.one.commit([joined(1), ...events, joined(2)], everyHook);
  await run(under.storages.url, "delete from sayna_sip_jobs.job");
  expect((await claim(under.two)).deliveries).toEqual([]);
  const third = await under.storages.open();
  const sent = new Map<string, string[]>();
  await drain(third, A, sent);
  expect(Object.fromEntries(sent)).toEqual({
    RM_1: ["participant_joined", "event_1", "event_2"],
    RM_2: ["participant_joined"],
  });
});

test("what only one may do at a time is done by one at a time", async () => {
  const [first, second] = [await under.storages.open(systemClock), await under.storages.open(systemClock)];
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
