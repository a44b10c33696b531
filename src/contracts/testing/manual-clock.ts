import type { Clock } from "../clock";

type Timer = { at: number; run: () => void };

/**
 * A clock that stands still until it is turned; timers run in the order of their times. They count turns only, as the
 * system's do: setting the time of day moves none of them.
 */
export class ManualClock implements Clock {
  #now: number;
  #monotonic = 1_000_000;
  readonly #timers = new Set<Timer>();

  constructor(now = Date.parse("2026-11-21T22:50:00Z")) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#monotonic + Math.max(ms, 0), run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Times of the timers that wait, as milliseconds from now. */
  get waits(): readonly number[] {
    return [...this.#timers].map((timer) => timer.at - this.#monotonic).toSorted((a, b) => a - b);
  }

  /** Turns the clock on, and lets what each timer starts run as far as it can. */
  async turn(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    await settle();
    for (;;) {
      const next = [...this.#timers].filter((timer) => timer.at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#pass(next.at);
      next.run();
      await settle();
    }
    this.#pass(end);
    await settle();
  }

  #pass(to: number): void {
    const ms = Math.max(to - this.#monotonic, 0);
    this.#monotonic += ms;
    this.#now += ms;
  }

  /** Sets the clock without running anything, as an administrator or NTP does. */
  set(now: number): void {
    this.#now = now;
  }
}

/** Lets promises and `setImmediate` callbacks that are ready run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
}
