import type { Verdict } from "./verdict";

/** One attempt as its endpoint saw it end; `at` in monotonic ms. */
export type End = { readonly roomSid: string; readonly verdict: Verdict; readonly at: number };

const SECOND = 1_000;
const PROBE_WAITS = [1, 2, 5, 10, 20, 30].map((seconds) => seconds * SECOND);
const LONGEST_PROBE_WAIT = 30 * SECOND;
/** So long after its last attempt, and its last failure, a hook may be forgotten; 30 s are counted by whole seconds. */
const QUIET = 29 * SECOND;
const QUIET_AFTER_FAILURE = 60 * SECOND;

type Open = { readonly from: number; readonly wait: number; readonly failed: number };

/**
 * When a hook's attempts may go out (delivery rule 3), written down a second time and in the plainest way, to be compared
 * with what the service does.
 */
export class ExpectedBreaker {
  /** Endpoint failures in a row. */
  #row: End[] = [];
  /** Attempts that said something of the endpoint. */
  #recent: End[] = [];
  #slots = Infinity;
  #failedAt = -Infinity;
  #mayBeForgotten = false;
  #open: Open | undefined;
  /** The call whose probe is under way. */
  #probing: string | undefined;

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** When the next probe goes out; Infinity when none does, or one is under way. */
  get probeAt(): number {
    return this.#open === undefined || this.#probing !== undefined ? Infinity : this.#open.from + this.#open.wait;
  }

  /** So many attempts at a time go out while it is closed. */
  get slots(): number {
    return this.#slots;
  }

  /** So many may: how far a hook had recovered that was quiet for a while may be forgotten. */
  get slotsAtMost(): number {
    return this.#mayBeForgotten ? Infinity : this.#slots;
  }

  sent(roomSid: string, at: number): void {
    if (this.#open !== undefined) this.#probing = roomSid;
    else if (this.#isQuiet(at)) this.#mayBeForgotten = true;
  }

  #isQuiet(now: number): boolean {
    if (this.#row.length > 0 || now - this.#failedAt < QUIET_AFTER_FAILURE) return false;
    return this.#recent.every(({ at }) => now - at > QUIET);
  }

  /** @returns true when this end has closed it. */
  ended(end: End, retryAfter: number | undefined): boolean {
    if (end.verdict === "endpoint") this.#failedAt = end.at;
    if (this.#open !== undefined) return this.#afterProbe(this.#open, end, retryAfter);
    if (end.verdict === "event" || end.verdict === "gone") return false;
    this.#recent.push(end);
    if (end.verdict === "success") {
      this.#row = [];
      this.#slots++;
      return false;
    }
    this.#row.push(end);
    if (this.#slots !== Infinity) this.#slots = 1;
    if (this.#mustOpen(end.at)) this.#open = { from: end.at, wait: waitFor(0, retryAfter), failed: 0 };
    return false;
  }

  #mustOpen(now: number): boolean {
    const severalCalls = new Set(this.#row.map(({ roomSid }) => roomSid)).size > 1;
    const long = now - (this.#row[0]?.at ?? now) >= 10 * SECOND;
    if (this.#row.length >= 5 && (severalCalls || long)) return true;
    // Counted by whole seconds.
    const second = (at: number) => Math.floor(at / SECOND);
    const recent = this.#recent.filter(({ at }) => second(at) > second(now) - 30);
    return recent.length >= 10 && recent.filter(({ verdict }) => verdict === "endpoint").length >= recent.length / 2;
  }

  #afterProbe(open: Open, { roomSid, verdict, at }: End, retryAfter: number | undefined): boolean {
    // What had gone out before it opened decides nothing.
    if (this.#probing !== roomSid) return false;
    this.#probing = undefined;
    if (verdict === "endpoint") {
      const failed = open.failed + 1;
      this.#open = { from: at, wait: waitFor(failed, retryAfter), failed };
      return false;
    }
    this.#open = undefined;
    this.#row = [];
    this.#recent = [];
    this.#slots = 1;
    this.#mayBeForgotten = false;
    return true;
  }
}

function waitFor(failed: number, retryAfter = 0): number {
  return Math.min(Math.max(PROBE_WAITS[failed] ?? LONGEST_PROBE_WAIT, retryAfter), LONGEST_PROBE_WAIT);
}
