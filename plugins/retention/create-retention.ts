import { sleep, type Clock } from "../../src/contracts/clock";
import type { Current } from "../../src/contracts/current";
import type { Logger } from "../../src/contracts/logger";
import type { RetentionLimits, Room, Upkeep } from "../../src/contracts/upkeep";

export type RetentionOptions = {
  readonly storage: Upkeep;
  readonly limits: Current<RetentionLimits>;
  readonly clock: Clock;
  readonly log: Logger;
};

export type RetentionDriver = { start(): void; stop(): void };

const FIRST_SWEEP_MS = 10_000;
const SWEEP_MS = 5 * 60_000;
/** What is delivered meanwhile can be removed then; a look over a million pending events takes 9 s of the thread, in steps below 1 ms (measured). */
const STUCK_SWEEP_MS = 30_000;
/** How often it is asked whether room is short. */
const LOOK_MS = 1_000;
const AFTER_ERROR_MS = 30_000;
/** Waits between two steps, as a multiple of what the step took: a fifth of the thread at most. */
const IDLE_SHARE = 4;
/** How often a lasting shortage is said. */
const REPEAT_MS = 60 * 60_000;

/** Sweeps the storage every few minutes, and at once when room is short, in small steps between other work. */
export function createRetention({ storage, limits, clock, log }: RetentionOptions): RetentionDriver {
  let running = false;
  let cancel = () => {};
  let nextSweep = 0;
  const saidAt = new Map<Room, number>();

  function lookIn(ms: number): void {
    cancel = clock.after(ms, () => void look());
  }

  async function look(): Promise<void> {
    let wait = LOOK_MS;
    try {
      const room = await storage.room(limits());
      const short = room === "over" || room === "full";
      if (short) report(room);
      if (short || clock.monotonic() >= nextSweep) {
        await sweepAll();
        // The storage may be closed by now.
        if (!running) return;
        const left = await storage.room(limits());
        nextSweep = clock.monotonic() + (left === "stuck" ? STUCK_SWEEP_MS : SWEEP_MS);
        report(left);
      }
    } catch (error) {
      // Fails open because what should go stays a little longer; events are kept as long as the disk takes them.
      log.error({ err: error }, "Old events could not be removed");
      wait = AFTER_ERROR_MS;
    }
    if (running) lookIn(wait);
  }

  async function sweepAll(): Promise<void> {
    const began = clock.monotonic();
    let removed = 0;
    for (;;) {
      if (!running) return;
      const stepped = clock.monotonic();
      const step = await storage.sweep(limits(), clock.now());
      removed += step.removed;
      if (!step.more) break;
      await sleep(clock, Math.ceil((clock.monotonic() - stepped) * IDLE_SHARE));
    }
    if (removed > 0) log.info({ events: removed, ms: Math.round(clock.monotonic() - began) }, "Old events removed");
  }

  function report(room: Room): void {
    if (room === "enough") {
      // A shortage that retention ends comes back all the time: that one is said once an hour.
      if (saidAt.delete("stuck")) log.info({}, "The storage has room again");
      return;
    }
    const now = clock.monotonic();
    const last = saidAt.get(room);
    if (last !== undefined && now - last < REPEAT_MS) return;
    saidAt.set(room, now);
    log.warn({ max_size: limits().maxSize }, MESSAGES[room]);
  }

  return {
    start() {
      running = true;
      nextSweep = clock.monotonic() + FIRST_SWEEP_MS;
      lookIn(LOOK_MS);
    },
    stop() {
      running = false;
      cancel();
    },
  };
}

const MESSAGES: Readonly<Record<Exclude<Room, "enough">, string>> = {
  over: "The storage is larger than retention.max_size: what is done with is removed before its time",
  full: "The disk is full: what is done with is removed before its time, to make room for events",
  stuck:
    "The storage is short of room and all that is left is still to be delivered: it is kept, and more is taken as long " +
    "as the disk takes it. Raise retention.max_size, or free disk space",
};
