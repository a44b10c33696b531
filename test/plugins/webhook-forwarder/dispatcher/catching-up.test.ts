import { afterEach, describe, expect, spyOn, test } from "bun:test";
import { Dispatching, rooms, type Sent } from "./dispatching";

const CONCURRENCY = 10;
const CALLS = 200;

let world: Dispatching;

afterEach(() => world.end());

/** Returns how often the queue was read. */
async function sendAll(concurrency: number, answerAfter: (sent: Sent) => number): Promise<number> {
  world = await Dispatching.start({ hooks: { behind: { concurrency } } });
  const claim = spyOn(world.storage, "claim");
  world.endpoint("behind", (sent) => ({ status: 200, ms: answerAfter(sent) }));
  await world.calls("behind", rooms(CALLS));
  await world.clock.turn(5_000);
  expect(world.sentTo("behind")).toHaveLength(CALLS);
  return claim.mock.calls.length;
}

describe("a hook with more to send than places", () => {
  test("is asked for several at a time, and leaves no place empty for longer than 4 ms", async () => {
    const after = ({ room }: Sent) => 20 + (Number(room.slice(3)) % CONCURRENCY);
    const claims = await sendAll(CONCURRENCY, after);
    expect(claims).toBeLessThan(CALLS / 2);

    const began = world.sent.map(({ at }) => at);
    const ended = world.sent.map((sent) => sent.at + after(sent)).toSorted((a, b) => a - b);
    const empty = began.slice(CONCURRENCY).map((at, i) => at - (ended[i] ?? Infinity));
    expect(Math.min(...empty)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...empty)).toBeLessThanOrEqual(4);
  });

  test.each([
    [1, 1],
    [4, 2],
    [100, 4],
  ])("with %i places it leaves the thread to others for %i ms", async (concurrency, pause) => {
    await sendAll(concurrency, () => 20);
    const began = Array.from({ length: CALLS / concurrency }, (_, i) => i * (20 + pause));
    expect([...new Set(world.sent.map(({ at }) => at))]).toEqual(began);
  });

  test("sends the next event of a call at once when it has caught up", async () => {
    world = await Dispatching.start({ hooks: { behind: { concurrency: CONCURRENCY } } });
    const after = ({ room }: Sent) => 20 + Number(room.slice(3));
    world.endpoint("behind", (sent) => ({ status: 200, ms: after(sent) }));
    await world.calls("behind", rooms(CONCURRENCY - 1), ["participant_joined", "participant_left"]);
    await world.clock.turn(100);
    const second = world.sent.filter(({ name }) => name === "participant_left");
    expect(second.map(({ at }) => at)).toEqual(second.map(after));
    expect(second).toHaveLength(CONCURRENCY - 1);
  });
});
