import type { Clock } from "../../../src/contracts/clock";

/**
 * Seconds to wait after the first, second, … refusal of one event. LiveKit makes five attempts and obeys Retry-After on
 * 503: these stretch its patience to 26 s, near the 30 s after which it drops what is queued behind.
 */
const RETRY_AFTER_SECONDS = [1, 2, 8, 15] as const;
const REMEMBERED_MS = 60_000;
const REMEMBERED_EVENTS = 10_000;

/** Counts how often each event was refused; forgets an event a minute after its last refusal. */
export function createRefusalCounter(clock: Clock) {
  const refused = new Map<string, { times: number; at: number }>();

  function forgetOld(now: number): void {
    // In the order of their last refusal, so the old ones come first.
    for (const [id, { at }] of refused) {
      if (refused.size <= REMEMBERED_EVENTS && now - at < REMEMBERED_MS) break;
      refused.delete(id);
    }
  }

  return {
    /** Counts a refusal; returns the Retry-After for it. */
    next(id: string): number {
      const now = clock.now();
      forgetOld(now);
      const times = (refused.get(id)?.times ?? 0) + 1;
      refused.delete(id);
      refused.set(id, { times, at: now });
      return RETRY_AFTER_SECONDS[Math.min(times, RETRY_AFTER_SECONDS.length) - 1] ?? RETRY_AFTER_SECONDS[0];
    },
  };
}
