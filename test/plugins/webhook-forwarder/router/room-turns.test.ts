import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { createRoomTurns } from "../../../../plugins/webhook-forwarder/router/room-turns";
import { settle } from "../../../support/manual-clock";

test("without anybody waiting the turn comes at once, in the same call", () => {
  const turns = createRoomTurns();
  const seen: string[] = [];
  void turns.take("room", "answer", async (answer) => seen.push(answer));
  expect(seen).toEqual(["answer"]);
  expect(turns.waiting).toBe(0);
});

test("an event of the room waits for one that is still asked about, one of another room does not", async () => {
  const turns = createRoomTurns();
  const seen: string[] = [];
  const first = Promise.withResolvers<string>();
  const push = async (answer: string) => seen.push(answer);
  const all = [turns.take("room", first.promise, push), turns.take("room", "second", push)];
  await turns.take("other", "other", push);
  await settle();
  expect(seen).toEqual(["other"]);
  first.resolve("first");
  await Promise.all(all);
  expect(seen).toEqual(["other", "first", "second"]);
  expect(turns.waiting).toBe(0);
});

test("the next turn begins when the one before has begun, and not when it has ended: both fit into one commit", async () => {
  const turns = createRoomTurns();
  const seen: string[] = [];
  void turns.take("room", Promise.resolve("first"), async (answer) => {
    seen.push(answer);
    await new Promise(() => {});
  });
  await turns.take("room", "second", async (answer) => seen.push(answer));
  expect(seen).toEqual(["first", "second"]);
});

test("one that fails fails alone", async () => {
  const turns = createRoomTurns();
  const first = turns.take("room", Promise.resolve(1), () => Promise.reject(new Error("full disk")));
  const second = turns.take("room", 2, async (answer) => answer);
  expect(first).rejects.toThrow("full disk");
  expect(await second).toBe(2);
});

test("whenever the answers come, each room's turns follow its arrivals, and nothing is left behind", async () => {
  const arrival = fc.record({ room: fc.constantFrom("a", "b"), wait: fc.option(fc.integer({ min: 0, max: 5 })) });
  await fc.assert(
    fc.asyncProperty(fc.array(arrival, { maxLength: 30 }), async (arrivals) => {
      const turns = createRoomTurns();
      const seen: { room: string; n: number }[] = [];
      await Promise.all(
        arrivals.map(({ room, wait }, n) => {
          const answer = wait === null ? n : ticks(wait).then(() => n);
          return turns.take(room, answer, async (value) => seen.push({ room, n: value }));
        }),
      );
      for (const room of ["a", "b"]) {
        const expected = arrivals.flatMap((one, n) => (one.room === room ? [n] : []));
        expect(seen.filter((turn) => turn.room === room).map(({ n }) => n)).toEqual(expected);
      }
      expect(turns.waiting).toBe(0);
    }),
  );
});

async function ticks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
}
