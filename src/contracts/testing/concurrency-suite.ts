import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { PendingDelivery, Storage } from "../storage";
import { HOOK, numberedEvent, numbersOf } from "./numbered-events";
import { openedStorage, type StorageUnderTest } from "./opened-storage";
import { NOW } from "./sample-events";

const CALLS = 20;
const EVENTS = 10;
/** An instance that ends in good order leaves its lanes; another one should not have to wait for the end of a lease. */
const LEFT_WITHIN_MS = 3_000;
const everyHook = () => "ordered" as const;
const LIMITS = { delivered: 1e15, dead: 1e15, unmatched: 1e15, maxSize: Infinity };

export type SharedStorage = StorageUnderTest & {
  /** Opens the storage once more beside an open one, as another instance does. */
  readonly beside: () => Promise<Storage>;
};

/** What `Storage` promises when much is asked of it at once, as tests. Each implementation runs them. */
export function testConcurrency(title: string, create: () => Promise<StorageUnderTest>): void {
  describe(title, () => {
    const under = openedStorage(create);

    test("commits side by side are all kept, each call's in the order in which they were asked for", async () => {
      await commitAll(under.storage);
      const sent: PendingDelivery[] = [];
      await drain(under.storage, sent);
      expectWhole(sent);
    });

    test("an event that is offered many times at once is kept once", async () => {
      const offers = Array.from({ length: 50 }, () => under.storage.commit([numberedEvent(0, 0)], everyHook));
      const kinds = (await Promise.all(offers)).flat().map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === "kept")).toHaveLength(1);
      const sent: PendingDelivery[] = [];
      await drain(under.storage, sent);
      expect(sent).toHaveLength(1);
    });

    test("what goes out while events come in, and lists are read and swept, goes out once and in order", async () => {
      const sent: PendingDelivery[] = [];
      let coming = true;
      const reading = async () => {
        while (coming) {
          await under.storage.deliveries({ viewer: "operator" }, { limit: 50 });
          await under.storage.sweep(LIMITS, NOW);
          await under.storage.listUnmatched(NOW - 1);
          await new Promise(setImmediate);
        }
      };
      const sending = async () => {
        while (coming) {
          await drain(under.storage, sent);
          await new Promise(setImmediate);
        }
      };
      const beside = [reading(), sending()];
      await commitAll(under.storage);
      coming = false;
      await Promise.all(beside);
      await drain(under.storage, sent);
      expectWhole(sent);
    });

    test("settling the same delivery twice moves its lane on once", async () => {
      await under.storage.commit([numberedEvent(0, 0), numberedEvent(0, 1), numberedEvent(0, 2)], everyHook);
      const [first] = await heads(under.storage);
      if (first === undefined) throw new Error("nothing was claimed");
      await Promise.all([settle(under.storage, [first]), settle(under.storage, [first])]);
      expect((await heads(under.storage)).map(({ eventName }) => eventName)).toEqual(["event_1"]);
    });
  });
}

/** What the instances that share a storage owe each other, as tests. Each implementation that several may have open runs them. */
export function testSharing(title: string, create: () => Promise<SharedStorage>): void {
  describe(title, () => {
    let under: SharedStorage;
    let one: Storage;
    let two: Storage;

    beforeEach(async () => {
      under = await create();
      one = await under.open();
      two = await under.beside();
    });

    afterEach(async () => {
      await one.close();
      await two.close();
      await under.remove();
    });

    test("each knows the other's events, and routes by the other's calls", async () => {
      await one.commit([numberedEvent(0, 0)], everyHook);
      expect(await two.commit([numberedEvent(0, 0)], everyHook)).toMatchObject([{ kind: "duplicate" }]);
      expect(await two.commit([numberedEvent(0, 1)], everyHook)).toMatchObject([{ kind: "kept", hooks: [HOOK] }]);
    });

    test("no lane is handed to both: what one has claimed is leased to it", async () => {
      for (let call = 0; call < CALLS; call++) await one.commit([numberedEvent(call, 0)], everyHook);
      const claims = await Promise.all([heads(one, CALLS), heads(two, CALLS)]);
      const lanes = claims.flat().map(({ lane }) => lane);
      expect(new Set(lanes).size).toBe(lanes.length);
      expect(lanes.length).toBeGreaterThan(0);
    });

    test("each delivery goes out once and in order, whoever sends it", async () => {
      await commitAll(one, two);
      const sent: PendingDelivery[] = [];
      await Promise.all([drain(one, sent), drain(two, sent)]);
      await drain(one, sent);
      expectWhole(sent);
    });

    test("one that closes leaves what it had claimed to the other", async () => {
      await two.commit([numberedEvent(0, 0)], everyHook);
      expect(await heads(two)).toHaveLength(1);
      expect(await heads(one)).toHaveLength(0);
      await two.close();
      // At once, or when the other's lease has been found to be over.
      const deadline = Date.now() + LEFT_WITHIN_MS;
      while ((await heads(one)).length === 0 && Date.now() < deadline)
        await new Promise((wait) => setTimeout(wait, 50));
      const sent: PendingDelivery[] = [];
      await drain(one, sent);
      expect(sent).toHaveLength(1);
    });
  });
}

/** All events of all calls, without waiting in between; of one call always by the same storage, in order. */
async function commitAll(...storages: readonly Storage[]): Promise<void> {
  const commits: Promise<unknown>[] = [];
  for (let n = 0; n < EVENTS; n++) {
    for (let call = 0; call < CALLS; call++) {
      const storage = storages[call % storages.length];
      if (storage !== undefined) commits.push(storage.commit([numberedEvent(call, n)], everyHook));
    }
    await new Promise(setImmediate);
  }
  await Promise.all(commits);
}

async function heads(storage: Storage, limit = 50): Promise<readonly PendingDelivery[]> {
  return (await storage.claim(HOOK, { now: NOW, limit, busy: new Set() })).deliveries;
}

async function settle(storage: Storage, deliveries: readonly PendingDelivery[]): Promise<void> {
  const attempt = { startedAt: NOW, durationMs: 1, status: 200, error: undefined, answerStart: undefined };
  await storage.settle(deliveries.map((delivery) => ({ delivery, at: NOW, attempt, outcome: { kind: "delivered" } })));
}

async function drain(storage: Storage, sent: PendingDelivery[]): Promise<void> {
  for (;;) {
    const deliveries = await heads(storage);
    if (deliveries.length === 0) return;
    sent.push(...deliveries);
    await settle(storage, deliveries);
  }
}

/** Every event once, and each call's in their order. */
function expectWhole(sent: readonly PendingDelivery[]): void {
  const byCall = Map.groupBy(
    sent.map(({ eventId }) => numbersOf(eventId)),
    ({ call }) => call,
  );
  const numbers = Array.from({ length: EVENTS }, (_, n) => n);
  for (let call = 0; call < CALLS; call++) expect(byCall.get(call)?.map(({ n }) => n)).toEqual(numbers);
}
