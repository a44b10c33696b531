import type { LaneId } from "../../../src/contracts/storage";
import { isQuiet, newBreaker, type Breaker } from "../../../src/domain/breaker";
import type { TokenBucket } from "../../../src/domain/token-bucket";

/**
 * What is known of a hook that has something to send, or whose endpoint failed a short while ago. In memory only: after a
 * restart every endpoint is taken to work. Times are monotonic milliseconds.
 */
export type HookState = {
  /** Lanes with an attempt under way, or one that is being settled. */
  readonly busy: Set<LaneId>;
  /** When the attempts under way began, the oldest first. */
  readonly sending: Map<LaneId, number>;
  breaker: Breaker;
  /** What is left of its rate, when it has one. */
  bucket: TokenBucket | undefined;
  /** When an attempt last failed because of the endpoint. */
  failedAt: number | undefined;
  cancelTimer: () => void;
  /** More of it was due than it could be given, when its queue was last read. */
  behind: boolean;
  /** An attempt has ended, and its queue is read in a moment. */
  isPausing: boolean;
};

/** A hook that failed is taken to be slow for so long (delivery rule 6). */
const SLOW_AFTER_FAILURE_MS = 60_000;
const SLOW_ATTEMPT_MS = 1_000;

export function newHookState(): HookState {
  return {
    busy: new Set(),
    sending: new Map(),
    breaker: newBreaker,
    bucket: undefined,
    failedAt: undefined,
    cancelTimer: () => {},
    behind: false,
    isPausing: false,
  };
}

/** True for a hook that may keep its places for long: it failed in the last minute, or lets an attempt wait. */
export function isSlow({ failedAt, sending }: HookState, now: number): boolean {
  if (failedAt !== undefined && now - failedAt < SLOW_AFTER_FAILURE_MS) return true;
  const [oldest] = sending.values();
  return oldest !== undefined && now - oldest > SLOW_ATTEMPT_MS;
}

/** True when there is nothing to remember of the hook. */
export function isForgettable(state: HookState, now: number): boolean {
  return state.busy.size === 0 && isQuiet(state.breaker, now) && !isSlow(state, now);
}
