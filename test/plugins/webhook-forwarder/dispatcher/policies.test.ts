import { afterEach, describe, expect, test } from "bun:test";
import { Dispatching, rooms } from "./dispatching";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

let world: Dispatching;

afterEach(() => world.end());

describe("each hook by its own policy", () => {
  test("its schedule", async () => {
    world = await Dispatching.start({ hooks: { a: { schedule: [2_000, 3_000] }, b: {} } });
    for (const hook of ["a", "b"]) {
      world.endpoint(hook, () => ({ status: 500 }));
      await world.call(hook, "RM_1");
    }
    await world.clock.turn(20 * SECOND);
    expect(world.sentTo("a").map(({ at }) => at)).toEqual([0, 2_000, 5_000]);
    expect(world.sentTo("b").map(({ at }) => at)).toEqual([0, 1_000, 6_000]);
    expect(world.givenUp()).toHaveLength(1);
  });

  test("its deadline", async () => {
    world = await Dispatching.start({ hooks: { a: { deadline: 1_234 }, b: {} } });
    const deadlines: number[] = [];
    for (const hook of ["a", "b"]) {
      world.endpoint(hook, (_, request) => {
        deadlines.push(request.deadlineMs);
        return { status: 200 };
      });
      await world.call(hook, "RM_1");
    }
    expect(deadlines).toEqual([1_234, 10_000]);
  });

  test("its concurrency", async () => {
    world = await Dispatching.start({ hooks: { a: { concurrency: 3 }, b: {} } });
    for (const hook of ["a", "b"]) {
      world.endpoint(hook, () => ({ status: 200, ms: 500 }));
      await world.calls(hook, rooms(30));
    }
    await world.clock.turn(MINUTE);
    expect([world.most.get("a"), world.most.get("b")]).toEqual([3, 10]);
    expect([world.sentTo("a").length, world.sentTo("b").length]).toEqual([30, 30]);
  });

  test("its maximum age, and the expiry of some of its events", async () => {
    world = await Dispatching.start({
      hooks: { a: { maxAge: 10 * MINUTE, expiry: [{ events: "track_*", after: MINUTE }] } },
    });
    world.endpoint("a", () => ({ status: 503 }));
    await world.calls("a", rooms(6), ["participant_joined", "track_published", "participant_left"]);
    await world.clock.turn(5 * MINUTE);
    world.endpoint("a", () => ({ status: 200 }));
    const down = world.sent.length;
    await world.clock.turn(MINUTE);
    const arrived = world.sent.slice(down).map(({ name }) => name);
    expect(new Set(arrived)).toEqual(new Set(["participant_joined", "participant_left"]));
    expect(arrived).toHaveLength(12);
    expect(world.logged("warn").filter((line) => line === "A delivery expired")).toHaveLength(6);
  });

  test("the events it wants", async () => {
    world = await Dispatching.start({ hooks: { a: { events: ["participant_*"] } } });
    await world.call("a", "RM_1", ["room_started", "participant_joined", "track_published", "participant_left"]);
    expect(world.sent.map(({ name }) => name)).toEqual(["participant_joined", "participant_left"]);
  });

  test("without order one event waits for no other of its call", async () => {
    world = await Dispatching.start({ hooks: { a: { order: "none" } } });
    world.endpoint("a", ({ name }) => ({ status: name === "participant_joined" ? 500 : 200 }));
    await world.call("a", "RM_1", ["participant_joined", "track_published", "participant_left"]);
    expect(world.sent.map(({ name }) => name)).toEqual(["participant_joined", "track_published", "participant_left"]);
  });
});

describe("a rate", () => {
  test("of 5 per second: one each 200 ms, however much is due", async () => {
    world = await Dispatching.start({ hooks: { a: { rate: 5 } } });
    await world.calls("a", rooms(100));
    await world.clock.turn(4 * SECOND);
    const times = world.sentTo("a").map(({ at }) => at);
    expect(times).toEqual(Array.from({ length: 21 }, (_, i) => i * 200));
  });

  test("of 100 per second holds in each second, and is used up", async () => {
    world = await Dispatching.start({ hooks: { a: { rate: 100 } } });
    await world.calls("a", rooms(500));
    await world.clock.turn(3 * SECOND);
    const times = world.sentTo("a").map(({ at }) => at);
    for (let from = 0; from <= 2_000; from += 50) {
      const inThisSecond = times.filter((at) => at >= from && at < from + 1_000).length;
      expect(inThisSecond).toBeGreaterThanOrEqual(95);
      expect(inThisSecond).toBeLessThanOrEqual(110);
    }
  });

  test("counts probes and retries too, and holds no other hook up", async () => {
    world = await Dispatching.start({ hooks: { a: { rate: 1 }, b: {} } });
    world.endpoint("a", () => ({ status: 500 }));
    await world.calls("a", rooms(50));
    await world.calls("b", rooms(50));
    await world.clock.turn(20);
    expect(world.sentTo("b")).toHaveLength(50);
    await world.clock.turn(MINUTE);
    const times = world.sentTo("a").map(({ at }) => at);
    expect(times.slice(1).every((at, i) => at - (times[i] ?? 0) >= SECOND)).toBe(true);
  });
});

describe("a clock that is set", () => {
  test.each([
    ["back by an hour", -HOUR],
    ["forward by an hour", HOUR],
    ["back by a year", -365 * 24 * HOUR],
  ])("%s: nothing is stuck, nothing expires, and no attempt is made too often", async (_, step) => {
    world = await Dispatching.start({
      hooks: { a: {}, b: { expiry: [{ events: "*", after: 10 * MINUTE }] } },
    });
    let works = false;
    for (const hook of ["a", "b"]) world.endpoint(hook, () => ({ status: works ? 200 : 500 }));
    // One call alone waits for its retry; many have opened a breaker.
    await world.call("a", "RM_a");
    await world.calls("b", rooms(20), ["participant_joined", "participant_left"]);
    await world.clock.turn(8 * SECOND);
    const before = world.sent.length;
    world.clock.set(world.clock.now() + step);
    await world.calls("a", rooms(3, "RM_later"));
    await world.clock.turn(10 * SECOND);
    // Three new ones, one early retry of what waited, one of each that failed meanwhile, and the breaker's probes.
    expect(world.sent.length - before).toBeLessThanOrEqual(12);
    works = true;
    await world.clock.turn(MINUTE);
    expect(await world.storage.waitingHooks()).toEqual([]);
    expect(world.logged("warn")).not.toContain("A delivery expired");
    expect(world.givenUp()).toEqual([]);
    expect(new Set(world.sentTo("b").map(({ id }) => id)).size).toBe(40);
  });

  test("back, and the program starts again: what was due is sent within the longest wait", async () => {
    world = await Dispatching.start({ hooks: { a: {} } });
    world.endpoint("a", () => ({ status: 503 }));
    await world.calls("a", rooms(3));
    world.endpoint("a", () => ({ status: 200 }));
    world.clock.set(world.clock.now() - 30 * 24 * HOUR);
    await world.startAgain();
    await world.clock.turn(HOUR + MINUTE);
    expect(await world.storage.waitingHooks()).toEqual([]);
  });

  test("a Retry-After is waited for all the same", async () => {
    world = await Dispatching.start({ hooks: { a: {} } });
    world.endpoint("a", () => ({ status: 429, retryAfter: "600" }));
    await world.call("a", "RM_1");
    world.clock.set(world.clock.now() - HOUR);
    await world.clock.turn(599 * SECOND);
    expect(world.sent).toHaveLength(1);
    await world.clock.turn(2 * SECOND);
    expect(world.sent).toHaveLength(2);
  });
});
