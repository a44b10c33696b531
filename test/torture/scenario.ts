/** A way of breaking the service, and what is looked at meanwhile. The same seed and size repeat the same choices. */
export type Scenario = {
  readonly name: string;
  /** What is broken, in one line. */
  readonly about: string;
  /** What `size` counts: kills, events, runs, … */
  readonly unit: string;
  /** The size that is a part of the tests, and the one for `bun run torture`. */
  readonly short: number;
  readonly long: number;
  run(seed: number, size: number): Promise<Report>;
};

export type Report = {
  /** Counts and measures, in the order in which they are shown. */
  readonly figures: Readonly<Record<string, number | string>>;
  /** The promises that did not hold, each with what was seen; empty when all held. */
  readonly broken: readonly string[];
};

/** Shows at most this many of the cases that break one promise. */
const SHOWN = 5;

/** Collects the promises that do not hold. */
export class Findings {
  readonly #broken: string[] = [];

  get broken(): readonly string[] {
    return this.#broken;
  }

  /** `promise` did not hold in these cases; nothing when there are none. */
  none(promise: string, cases: readonly string[]): void {
    if (cases.length === 0) return;
    const rest = cases.length > SHOWN ? `, … (${cases.length} in all)` : "";
    this.#broken.push(`${promise}: ${cases.slice(0, SHOWN).join(", ")}${rest}`);
  }

  check(promise: string, holds: boolean, seen: unknown = ""): void {
    if (!holds) this.#broken.push(seen === "" ? promise : `${promise}: ${String(seen)}`);
  }
}
