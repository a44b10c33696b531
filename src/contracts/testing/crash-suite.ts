import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Storage } from "../storage";
import { HOOK, numberedEvent, numbersOf } from "./numbered-events";

export type CrashingStorage = {
  /**
   * The path of a module whose default export opens the storage at a place: `(place: string) => Promise<Storage>`. It is run
   * here, and in processes that are killed.
   */
  readonly module: string;
  /** Makes an empty place: a directory, a database's URL. */
  readonly create: () => Promise<{ readonly place: string; readonly remove: () => Promise<void> }>;
  /** How long what a killed process had claimed may stay leased to it, in ms; 0 by default. */
  readonly leaseMs?: number;
};

/** Killed when so many promises had been fulfilled. */
const KILLED_AFTER = [1, 10, 37, 100, 250];
const NOW = Date.parse("2026-11-21T22:50:00Z");
const CHILD = join(import.meta.dir, "crash-child.ts");

/**
 * What `Storage` promises of `kill -9`, as tests: a process that keeps and settles is killed at several points, and what it had
 * been promised is looked for. Each implementation runs them.
 */
export function testCrashes(title: string, { module, create, leaseMs = 0 }: CrashingStorage): void {
  describe(title, () => {
    let place: string;
    let remove: () => Promise<void>;

    beforeEach(async () => {
      ({ place, remove } = await create());
    });

    afterEach(() => remove());

    test.each(KILLED_AFTER)(
      "killed after %d fulfilled promises, all of them hold",
      async (count) => {
        const { kept, settled, settling } = await killAfter(count, module, place);
        const { default: open } = (await import(module)) as { default: (place: string) => Promise<Storage> };
        const storage = await open(place);
        try {
          // Known, so that a repetition by LiveKit adds nothing.
          for (const id of kept) expect(await keepAgain(storage, id)).toBe("duplicate");
          const waiting = [...kept].filter((id) => !settling.has(id));
          const handedOut = await drain(storage, waiting, leaseMs);
          for (const id of settled) expect(handedOut).not.toContain(id);
          for (const id of waiting) expect(handedOut).toContain(id);
          expectInOrder(handedOut);
          await expectWholeBatches(storage, handedOut);
        } finally {
          await storage.close();
        }
      },
      60_000,
    );

    test("and killed again and again, the storage opens and goes on", async () => {
      const { default: open } = (await import(module)) as { default: (place: string) => Promise<Storage> };
      const kept = new Set<string>();
      for (const count of [5, 20, 5]) {
        const said = await killAfter(count, module, place);
        for (const id of said.kept) kept.add(id);
      }
      const storage = await open(place);
      for (const id of kept) expect(await keepAgain(storage, id)).toBe("duplicate");
      await storage.close();
    }, 60_000);
  });
}

/** `settling`: all whose end was asked for, the few included of which the process was killed before it could tell. */
type Said = Readonly<Record<"kept" | "settling" | "settled", ReadonlySet<string>>>;

/** Runs the process until it has said so much, and kills it; all that it said. */
async function killAfter(count: number, module: string, place: string): Promise<Said> {
  const child = Bun.spawn([process.execPath, CHILD, module, place], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const errors = new Response(child.stderr).text();
  let text = "";
  let lines = 0;
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    lines = text.match(/^(kept|settled) .*\n/gm)?.length ?? 0;
    if (lines >= count) child.kill("SIGKILL");
  }
  await child.exited;
  if (lines < count) throw new Error(`it ended by itself: ${await errors}`);
  // What it was saying when it was killed is not counted.
  const said = text.split("\n").slice(0, -1);
  const after = (word: string) =>
    said.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
  return {
    kept: new Set(after("kept")),
    settling: new Set(after("settling")),
    settled: new Set(after("settled")),
  };
}

async function keepAgain(storage: Storage, id: string): Promise<string | undefined> {
  const { call, n } = numbersOf(id);
  const [result] = await storage.commit([numberedEvent(call, n)], () => "ordered");
  return result?.kind;
}

/**
 * All that goes out, in that order. As long as some of `wanted` has not come, it waits for the end of the leases of the dead
 * process.
 */
async function drain(storage: Storage, wanted: readonly string[], leaseMs: number): Promise<string[]> {
  const ids: string[] = [];
  const deadline = Date.now() + leaseMs;
  for (;;) {
    const { deliveries } = await storage.claim(HOOK, { now: NOW, limit: 50, busy: new Set() });
    if (deliveries.length === 0) {
      if (Date.now() >= deadline || wanted.every((id) => ids.includes(id))) return ids;
      await new Promise((resolve) => setTimeout(resolve, 50));
      continue;
    }
    ids.push(...deliveries.map(({ eventId }) => eventId));
    await storage.settle(
      deliveries.map((delivery) => ({ delivery, at: NOW, attempt: undefined, outcome: { kind: "delivered" } })),
    );
  }
}

function expectInOrder(ids: readonly string[]): void {
  const byCall = Map.groupBy(ids.map(numbersOf), ({ call }) => call);
  for (const events of byCall.values()) {
    const numbers = events.map(({ n }) => n);
    // Without gaps: what comes after a delivery that was lost would show.
    expect(numbers).toEqual(numbers.map((_, i) => (numbers[0] ?? 0) + i));
  }
}

/** Of a batch that nobody was told of both events are there, or none. */
async function expectWholeBatches(storage: Storage, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const { call, n } = numbersOf(id);
    expect(await keepAgain(storage, `EV_${call}_${n % 2 === 0 ? n + 1 : n - 1}`)).toBe("duplicate");
  }
}
