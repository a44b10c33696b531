import { afterEach, describe, expect, test } from "bun:test";
import { Dispatching, hookNamed, rooms, type Answer, type DispatchingOptions } from "./dispatching";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

let world: Dispatching;

afterEach(() => world.end());

async function start(options: Partial<DispatchingOptions> = {}): Promise<Dispatching> {
  world = await Dispatching.start({ hooks: { a: {} }, ...options });
  return world;
}

function answers(answer: Answer): void {
  world.endpoint("a", () => answer);
}

/** Seconds between the attempts from the n-th on. */
function gaps(from: number): number[] {
  const times = world.sentTo("a").map(({ at }) => at);
  return times.slice(from).map((at, i) => (at - (times[from + i - 1] ?? 0)) / SECOND);
}

async function pending(hook = "a") {
  const busy = new Set<number>();
  return (await world.storage.claim(hookNamed(hook).id, { now: Infinity, limit: 100, busy })).deliveries;
}

describe("an endpoint that is down", () => {
  test("gets one probe at a time after 1, 2, 5, 10, 20, 30, 30 s, from a different lane each time", async () => {
    await start();
    answers({ status: 503 });
    await world.calls("a", rooms(20));
    // All ten that were under way fail; the first five of them open the breaker.
    const before = world.sentTo("a").length;
    expect(before).toBe(10);
    await world.clock.turn(5 * MINUTE);
    expect(gaps(before).slice(0, 8)).toEqual([1, 2, 5, 10, 20, 30, 30, 30]);
    const probed = world
      .sentTo("a")
      .slice(before)
      .map(({ room }) => room);
    expect(new Set(probed).size).toBe(probed.length);
  });

  test("is probed from all lanes in turn, more than are remembered, those that wait for their retry too", async () => {
    await start({ policy: { concurrency: 5 } });
    answers({ status: 503 });
    await world.calls("a", rooms(40));
    await world.clock.turn(40 * 31 * SECOND);
    expect(new Set(world.sentTo("a").map(({ room }) => room)).size).toBe(40);
  });

  test("is probed from lanes that wait for their retry too, when all others have been probed", async () => {
    await start({ policy: { schedule: [HOUR] } });
    answers({ status: 503 });
    await world.calls("a", rooms(5));
    await world.clock.turn(MINUTE);
    const probed = world.sentTo("a").slice(5);
    expect(probed.length).toBeGreaterThanOrEqual(5);
    expect(new Set(probed.slice(0, 5).map(({ room }) => room)).size).toBe(5);
  });

  test.each<[string, number, Answer]>([
    ["a day of 500", 24, { status: 500 }],
    ["a day of silence", 24, "hang"],
    ["an hour of a wrong path", 1, { status: 404 }],
    ["an hour of redirects", 1, { status: 302 }],
  ])(
    "after %s: nothing is dead, no probe has counted, and all of it arrives in order within a minute",
    async (_, hours, answer) => {
      await start({ policy: { maxAge: 48 * HOUR } });
      answers(answer);
      for (const room of rooms(30))
        await world.call("a", room, ["participant_joined", "track_published", "participant_left"]);
      await world.clock.turn(hours * HOUR);
      expect(world.givenUp()).toEqual([]);
      expect((await pending()).every(({ failures }) => failures <= 1)).toBe(true);
      expect((await pending()).some(({ attempts }) => attempts > 3)).toBe(true);
      answers({ status: 200, ms: 50 });
      const [back, at] = [world.sent.length, world.clock.now()];
      await world.clock.turn(MINUTE);
      expect(await world.storage.waitingHooks()).toEqual([]);
      expect(world.clock.now() - at).toBe(MINUTE);
      const arrived = world.sent.slice(back);
      for (const room of rooms(30)) {
        const names = arrived.filter((sent) => sent.room === room).map(({ name }) => name);
        expect(names).toEqual(["participant_joined", "track_published", "participant_left"]);
      }
    },
    30_000,
  );

  test("is told of in one line when the breaker opens, with the reason, and one when it closes", async () => {
    await start();
    answers({ status: 503 });
    await world.calls("a", rooms(20));
    const [failed] = [world.logged("warn").filter((line) => line === "Not delivered yet").length];
    await world.clock.turn(HOUR);
    expect(world.logged("warn").filter((line) => line === "Not delivered yet")).toHaveLength(failed);
    const opened = world.log.lines.filter(({ message }) => message.includes("does not work"));
    expect(opened).toMatchObject([
      { level: "warn", fields: { host: "a.example.com", reason: "5 attempts in a row failed", status: 503 } },
    ]);
    answers({ status: 204 });
    await world.clock.turn(MINUTE);
    expect(world.log.lines.filter(({ message }) => message.includes("works again"))).toMatchObject([
      { level: "info", fields: { host: "a.example.com", failed_probes: expect.any(Number) } },
    ]);
  });

  test("expires what is older than the maximum age, and nothing else", async () => {
    await start({ policy: { maxAge: 2 * HOUR } });
    answers("hang");
    await world.calls("a", rooms(20, "OLD"));
    await world.clock.turn(HOUR);
    await world.calls("a", rooms(5, "NEW"));
    await world.clock.turn(HOUR + 10 * MINUTE);
    expect(world.logged("warn").filter((line) => line === "A delivery expired")).toHaveLength(20);
    expect(new Set((await pending()).map(({ roomSid }) => roomSid?.split("@")[0]))).toEqual(new Set(rooms(5, "NEW")));
    expect(world.givenUp()).toEqual([]);
  });

  test("is taken to work after a restart: what waits goes out at once", async () => {
    await start();
    answers({ status: 503 });
    await world.calls("a", rooms(20));
    await world.clock.turn(10 * MINUTE);
    const before = world.sent.length;
    answers({ status: 200 });
    await world.startAgain();
    await world.clock.turn(2 * MINUTE);
    expect(world.sent.length - before).toBe(20);
  });

  test.each([1, 2, 3])("with %d calls: a restart meanwhile sends none of it twice in one moment", async (calls) => {
    await start();
    answers({ status: 503 });
    await world.calls("a", rooms(calls));
    await world.clock.turn(30 * SECOND);
    const failures = async () => (await pending()).map((delivery) => delivery.failures).toSorted((a, b) => a - b);
    const counted = await failures();
    const before = world.sent.length;
    await world.startAgain();
    await world.clock.turn(MINUTE);
    const moments = world.sent.slice(before).map(({ room, at }) => `${room} at ${at}`);
    expect(moments.length).toBeGreaterThan(2 * calls);
    expect(new Set(moments).size).toBe(moments.length);
    // Nor does it use up the attempts that the breaker spared.
    expect(await failures()).toEqual(counted);
  });

  test("delays no other hook", async () => {
    await start({ hooks: { a: {}, b: {} } });
    answers({ status: 503 });
    await world.calls("a", rooms(20));
    await world.call("b", "RM_b");
    expect(world.sentTo("b")).toHaveLength(1);
  });
});

describe("when it is back", () => {
  test.each([200, 400, 413, 415, 422])("a probe that is answered %p closes the breaker", async (status) => {
    await start();
    answers({ status: 503 });
    await world.calls("a", rooms(20));
    answers({ status });
    await world.clock.turn(SECOND);
    expect(world.logged("info").some((line) => line.includes("works again"))).toBe(true);
  });

  test("one attempt at a time goes out, and one more with each success", async () => {
    await start();
    answers({ status: 503 });
    await world.calls("a", rooms(200));
    answers({ status: 200, ms: 100 });
    await world.clock.turn(SECOND + 100);
    const probe = world.sentTo("a").length;
    const underWay: number[] = [];
    for (let i = 0; i < 6; i++) {
      underWay.push(world.dispatcher.underWay);
      // With the pause of a hook that has more to send.
      await world.clock.turn(105);
    }
    // 1, then 2 after its success, then 4 after those two, …
    expect(underWay).toEqual([1, 2, 4, 8, 10, 10]);
    expect(world.sentTo("a").length - probe).toBeGreaterThan(20);
  });

  test("what waited for its retry is due at once", async () => {
    await start({ policy: { schedule: [HOUR] } });
    answers({ status: 503, retryAfter: "3000" });
    await world.calls("a", rooms(5));
    answers({ status: 200 });
    await world.clock.turn(31 * SECOND);
    expect(await world.storage.waitingHooks()).toEqual([]);
  });

  test("what could not be made due is made due when the storage works again", async () => {
    await start({ policy: { schedule: [HOUR] } });
    answers({ status: 503 });
    await world.calls("a", rooms(5));
    answers({ status: 200 });
    const { makeDue } = world.storage;
    world.storage.makeDue = () => Promise.reject(new Error("disk full"));
    await world.clock.turn(10 * SECOND);
    world.storage.makeDue = makeDue;
    await world.clock.turn(2 * SECOND);
    expect(await world.storage.waitingHooks()).toEqual([]);
  });
});

describe("one event that is always answered 500", () => {
  test("in a busy hook dies by the schedule, and opens no breaker", async () => {
    await start();
    world.endpoint("a", ({ room }) => ({ status: room === "RM_bad" ? 500 : 200 }));
    await world.call("a", "RM_bad");
    for (let i = 0; i < 45; i++) {
      await world.clock.turn(10 * SECOND);
      await world.calls("a", rooms(3, `RM_${i}`));
    }
    expect(world.givenUp()).toHaveLength(1);
    expect(world.logged("warn").some((line) => line.includes("does not work"))).toBe(false);
  });

  test("alone in its hook holds its own lane only: another call's probe closes the breaker", async () => {
    await start();
    world.endpoint("a", ({ room }) => ({ status: room === "RM_bad" ? 500 : 200 }));
    await world.call("a", "RM_bad");
    await world.clock.turn(2 * MINUTE);
    expect(world.logged("warn").some((line) => line.includes("does not work"))).toBe(true);
    await world.call("a", "RM_good");
    await world.clock.turn(61 * SECOND);
    expect(world.sentTo("a").some(({ room }) => room === "RM_good")).toBe(true);
  });
});

test("an event that is refused is dead after three attempts, and no other call notices", async () => {
  await start();
  world.endpoint("a", ({ room }) => ({ status: room === "RM_bad" ? 422 : 200 }));
  await world.call("a", "RM_bad", ["participant_joined", "participant_left"]);
  await world.calls("a", rooms(3));
  await world.clock.turn(MINUTE);
  expect(world.sentTo("a").filter(({ room }) => room === "RM_bad")).toHaveLength(6);
  expect(world.givenUp()).toHaveLength(2);
  expect(world.sentTo("a").filter(({ room }) => room !== "RM_bad")).toHaveLength(3);
});

test("a hook that is paused by a probe's 410 is sent nothing more", async () => {
  await start();
  answers({ status: 503 });
  await world.calls("a", rooms(20));
  answers({ status: 410 });
  await world.clock.turn(SECOND);
  const sent = world.sent.length;
  await world.clock.turn(HOUR);
  expect(world.sent.length).toBe(sent);
});

test("a hook that somebody resumes is taken to work: all of it is due at once", async () => {
  await start();
  answers({ status: 503 });
  await world.calls("a", rooms(5));
  await world.registry.pause(hookNamed("a").id, "maintenance");
  await world.clock.turn(HOUR);
  const sent = world.sent.length;
  answers({ status: 200 });
  await world.registry.resume([hookNamed("a").id]);
  await world.clock.turn(0);
  expect(world.sent.length - sent).toBe(5);
});

test("hooks that have nothing to send and did not fail lately are forgotten", async () => {
  const names = Array.from({ length: 50 }, (_, i) => `h${i}`);
  await start({ hooks: Object.fromEntries(names.map((name) => [name, {}])) });
  for (const name of names) await world.call(name, `RM_${name}`);
  world.endpoint("h0", () => ({ status: 503 }));
  await world.calls("h0", rooms(10));
  await world.clock.turn(5 * MINUTE);
  expect(world.dispatcher.knownHooks).toBe(1);
  world.endpoint("h0", () => ({ status: 200 }));
  await world.clock.turn(5 * MINUTE);
  expect(world.dispatcher.knownHooks).toBe(0);
});
