/** Time, handed in so that tests can turn it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds since some moment, never set: for how long something takes, whatever happens to the time of day. */
  monotonic(): number;
  /** Runs `run` once after `ms` milliseconds, monotonic ones; the returned function cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** Resolves after `ms` milliseconds of this clock. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};
