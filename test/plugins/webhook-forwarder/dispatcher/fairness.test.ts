import { afterEach, describe, expect, test } from "bun:test";
import { Dispatching, rooms, type Endpoint } from "./dispatching";

const SECOND = 1_000;

let world: Dispatching;

afterEach(() => world.end());

const named = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

async function startWith(hooks: readonly string[], total?: number): Promise<void> {
  world = await Dispatching.start({
    hooks: Object.fromEntries(hooks.map((name) => [name, {}])),
    ...(total === undefined ? {} : { total }),
  });
}

function endpoints(hooks: readonly string[], endpoint: Endpoint): void {
  for (const hook of hooks) world.endpoint(hook, endpoint);
}

const quick: Endpoint = () => ({ status: 200, ms: 50 });

describe("places", () => {
  test("at most as many attempts as allowed are under way in all, and every freed place is used", async () => {
    const hooks = named("h", 12);
    await startWith(hooks, 20);
    endpoints(hooks, quick);
    for (const hook of hooks) await world.calls(hook, rooms(10));
    await world.clock.turn(3 * SECOND);
    expect(world.mostInAll).toBe(20);
    expect(world.sent).toHaveLength(120);
    expect(world.dispatcher.underWay).toBe(0);
  });

  test("50 hooks that begin to hang at once leave places to the others, then share half of all", async () => {
    const hanging = named("slow", 50);
    await startWith([...hanging, "good"]);
    endpoints(hanging, () => "hang");
    for (const hook of hanging) await world.calls(hook, rooms(20));
    expect(world.dispatcher.underWay).toBeLessThanOrEqual(150);
    await world.call("good", "RM_1");
    expect(world.sentTo("good")).toHaveLength(1);
    // By their second attempts all are known to be slow; their breakers open at the fifth, and let out probes only.
    const most: number[] = [];
    for (let i = 0; i < 8; i++) {
      await world.clock.turn(5 * SECOND + 1);
      most.push(world.dispatcher.underWay);
    }
    expect(Math.max(...most.slice(2))).toBeLessThanOrEqual(100);
    expect(most.at(-1)).toBeGreaterThan(0);
  }, 240_000);

  test("hundreds of hooks of one tenant that begin to hang at once leave places to another tenant", async () => {
    const hanging = named("big-", 300);
    await startWith([...hanging, "good"]);
    endpoints(hanging, () => "hang");
    for (const hook of hanging) await world.call(hook, "RM_1");
    expect(world.dispatcher.underWay).toBeLessThanOrEqual(101);
    await world.call("good", "RM_1");
    expect(world.sentTo("good")).toHaveLength(1);
  });

  test("a hook with a failure in the last minute is a slow one, and again a fast one after it", async () => {
    const hanging = named("slow", 10);
    await startWith([...hanging, "failing"], 20);
    // Slow answers, no failures: no breaker opens.
    endpoints(hanging, () => ({ status: 200, ms: 9 * SECOND }));
    world.endpoint("failing", ({ room }) => ({ status: room === "RM_bad" ? 400 : room === "RM_fails" ? 500 : 200 }));
    await world.call("failing", "RM_fails");
    for (const hook of hanging) await world.calls(hook, rooms(60));
    await world.clock.turn(12 * SECOND);
    const before = world.sentTo("failing").length;
    await world.calls("failing", rooms(3, "RM_new"));
    // Every place of the slow half is taken; as one of them it waits for its turn.
    expect(world.sentTo("failing").length).toBe(before);
    await world.clock.turn(20 * SECOND);
    expect(world.sentTo("failing").length).toBeGreaterThan(before);
  });

  test("turns go round: hooks with a lot to send are served alike", async () => {
    const hooks = named("h", 30);
    await startWith(hooks, 20);
    endpoints(hooks, quick);
    for (const hook of hooks) await world.calls(hook, rooms(100));
    await world.clock.turn(3 * SECOND);
    const counts = hooks.map((hook) => world.sentTo(hook).length);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect(Math.max(...counts) / Math.min(...counts)).toBeLessThan(2);
  }, 240_000);
});

const LATENCY_MS = 50;

/** How long events take from their commit to the answer, sorted, in ms: bursts of four calls' events to each of these. */
async function measure(good: readonly string[], seconds: number): Promise<readonly number[]> {
  const times: number[] = [];
  const committed = new Map<string, number>();
  endpoints(good, ({ hook, room, name, at }) => {
    times.push(at - (committed.get(`${hook} ${room} ${name}`) ?? at) + LATENCY_MS);
    return { status: 200, ms: LATENCY_MS };
  });
  const calls = rooms(4);
  for (let tick = 0; tick < seconds * 10; tick++) {
    for (const [i, hook] of good.entries()) {
      // Twice a second, not all at the same time.
      if ((tick + i) % 5 !== 0) continue;
      const name = `participant_${tick}`;
      for (const room of calls) committed.set(`${hook} ${room} ${name}`, world.now);
      await world.calls(hook, calls, [name]);
    }
    await world.clock.turn(100);
  }
  await world.clock.turn(SECOND);
  expect(times.length).toBe(good.length * seconds * 2 * calls.length);
  return times.toSorted((a, b) => a - b);
}

const percentile = (times: readonly number[], share: number) => times[Math.ceil(times.length * share) - 1] ?? Infinity;

test("a backlog of a hook and 50 hooks that hang leave the others' 99th percentile at most twice what it was", async () => {
  const good = named("good", 2);
  await startWith(good);
  const alone = await measure(good, 10);
  await world.end();

  const hanging = named("slow", 50);
  await startWith([...good, ...hanging, "behind"]);
  endpoints(hanging, () => "hang");
  endpoints(["behind"], () => ({ status: 200, ms: 990 }));
  await world.calls("behind", rooms(5_000));
  for (const hook of hanging) await world.calls(hook, rooms(20));
  const among = await measure(good, 110);
  expect(percentile(among, 0.99)).toBeLessThanOrEqual(2 * percentile(alone, 0.99));
  // For the second in which nobody is known to hang, calls of one hook may go out one after the other, each after a pause.
  expect(percentile(among, 1)).toBeLessThanOrEqual(4 * (LATENCY_MS + 1));
}, 240_000);
