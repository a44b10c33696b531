import type { ManualClock } from "../../support/manual-clock";

/** What is done at which time of a clock that is turned: one thing after the other, each of which may add more. */
export class Agenda {
  readonly #clock: ManualClock;
  readonly #items: { readonly at: number; readonly run: () => Promise<void> }[] = [];

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  /** @param at monotonic ms */
  add(at: number, run: () => Promise<void>): void {
    this.#items.push({ at, run });
  }

  /** Does what is due before `end`, and turns the clock until then; with `Infinity`, until nothing is left. */
  async goOnUntil(end: number): Promise<void> {
    for (let next = this.#next(); next !== undefined && next.at < end; next = this.#next()) {
      this.#items.splice(this.#items.indexOf(next), 1);
      await this.#turnTo(next.at);
      await next.run();
    }
    if (end < Infinity) await this.#turnTo(end);
  }

  /** The first of those that are due first. */
  #next() {
    return this.#items.reduce((first, item) => (item.at < (first?.at ?? Infinity) ? item : first), this.#items[0]);
  }

  #turnTo(at: number): Promise<void> {
    return this.#clock.turn(Math.max(at - this.#clock.monotonic(), 0));
  }
}
