/** What lines are told apart by, and how many of a kind are written. */
export type ThrottleRule = {
  /** Lines of a kind that are written in a window; what comes after them is counted. */
  readonly first: number;
  readonly windowMs: number;
  /** Kinds that are followed at a time, so that nothing that comes from outside can fill the memory. */
  readonly kinds: number;
};

/** Lines of a kind that were not written. */
export type LeftOut = { readonly kind: string; readonly count: number };

/** Without `say` it is part of the number that `takeDue` gives out for the kind `as`. */
export type Verdict = { readonly say: boolean; readonly as: string };

type Window = { readonly since: number; lines: number };

/** Stands for all kinds that there is no room for. */
const OTHERS = "";

/**
 * Decides which lines of a log are written when something fails by the thousand: of each kind the first of a window, and then
 * one that says how many there were more. What is written and what is counted is together always what came. Times are monotonic
 * milliseconds.
 */
export class LogThrottle {
  readonly #rule: ThrottleRule;
  /** In the order in which they began. */
  readonly #windows = new Map<string, Window>();

  constructor(rule: ThrottleRule) {
    this.#rule = rule;
  }

  /** To be asked after `takeDue` of the same time. */
  note(kind: string, now: number): Verdict {
    const as = this.#windows.has(kind) || this.#windows.size < this.#rule.kinds ? kind : OTHERS;
    const window = this.#windows.get(as) ?? { since: now, lines: 0 };
    if (window.lines === 0) this.#windows.set(as, window);
    window.lines++;
    return { say: window.lines <= this.#rule.first, as };
  }

  /** The windows that have ended by now, those in which something was left out; they begin anew with the next line. */
  takeDue(now: number): readonly LeftOut[] {
    const ended: LeftOut[] = [];
    for (const [kind, { since, lines }] of this.#windows) {
      if (now - since < this.#rule.windowMs) break;
      this.#windows.delete(kind);
      if (lines > this.#rule.first) ended.push({ kind, count: lines - this.#rule.first });
    }
    return ended;
  }

  /** How long until a window ends; undefined when there is none. */
  untilDue(now: number): number | undefined {
    const [oldest] = this.#windows.values();
    return oldest === undefined ? undefined : Math.max(oldest.since + this.#rule.windowMs - now, 0);
  }
}
