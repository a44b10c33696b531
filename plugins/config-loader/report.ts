import type { ConfigProblem } from "./config-error";
import { parentOf, type Pointer } from "./pointer";

/** Collects the problems of one configuration, and knows where each value was read from. */
export class Report {
  readonly problems: ConfigProblem[] = [];
  readonly #places: ReadonlyMap<Pointer, string>;
  readonly #complete: boolean;
  readonly #blamed = new Set<Pointer>();

  /**
   * @param places the source of every value that was given.
   * @param complete false when the file could not be read to its end, so that nothing can be said about what is missing.
   */
  constructor(places: ReadonlyMap<Pointer, string>, complete: boolean) {
    this.#places = places;
    this.#complete = complete;
  }

  /** A problem of the value at `pointer`; the first one of a value is the one that counts. */
  add(pointer: Pointer, message: string, hint: string): void {
    if (this.#blamed.has(pointer)) return;
    this.#blamed.add(pointer);
    this.problems.push({ message, source: this.#sourceOf(pointer), hint });
  }

  /** A problem of a value that is not there. */
  addMissing(pointer: Pointer, message: string, hint: string): void {
    if (this.#complete) this.add(pointer, message, hint);
  }

  /** True when the value itself has a problem already. */
  has(pointer: Pointer): boolean {
    return this.#blamed.has(pointer);
  }

  /** The value's own source, or that of the nearest block around it. */
  #sourceOf(pointer: Pointer): string {
    for (let at: Pointer | undefined = pointer; at !== undefined; at = parentOf(at)) {
      const place = this.#places.get(at);
      if (place !== undefined) return place;
    }
    return "environment";
  }
}
