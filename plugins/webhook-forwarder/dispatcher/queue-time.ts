import type { Clock } from "../../../src/contracts/clock";

type Step = { readonly after: number; readonly by: number };

/** Less than this is no step but NTP's slewing, or a late look. */
const SMALLEST_STEP_MS = 1_000;
const REMEMBERED_STEPS = 20;

/**
 * The time of a queue whose times are on disk as times of day, while somebody may set the clock.
 *
 * `now` never goes back: after a clock was set back by an hour, retries wait as long as they would have, and what arrives
 * from then on, dated earlier, is due at once. After it was set forward, what waits is due early, once.
 */
export class QueueTime {
  readonly #clock: Clock;
  /** Time of day minus monotonic time, the largest so far. */
  #ahead: number;
  #lastOffset: number;
  #lastLook: number;
  #steps: readonly Step[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastLook = clock.now();
    this.#lastOffset = this.#lastLook - clock.monotonic();
    this.#ahead = this.#lastOffset;
  }

  /** Milliseconds since the epoch, or later. */
  now(): number {
    this.#look();
    return Math.round(this.#clock.monotonic() + this.#ahead);
  }

  /**
   * How old is what came at this time of day, in ms. The hour by which a clock was set forward meanwhile is no age; after
   * it was set back age counts from anew, so that nothing expires too early.
   */
  ageOf(receivedAt: number): number {
    this.#look();
    const slept = this.#steps.reduce((sum, { after, by }) => (receivedAt < after ? sum + by : sum), 0);
    return Math.max(this.#clock.now() - receivedAt - slept, 0);
  }

  #look(): void {
    const now = this.#clock.now();
    const offset = now - this.#clock.monotonic();
    const by = offset - this.#lastOffset;
    // Nothing is dated between the last look and the step's end, except in the moment before it.
    if (by >= SMALLEST_STEP_MS) {
      this.#steps = [...this.#steps, { after: this.#lastLook + by, by }].slice(-REMEMBERED_STEPS);
    }
    this.#ahead = Math.max(this.#ahead, offset);
    this.#lastOffset = offset;
    this.#lastLook = now;
  }
}
