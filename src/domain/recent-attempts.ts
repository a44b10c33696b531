/** Attempts of the last 30 s, counted by the second: what is kept does not grow with their number. */
export type RecentAttempts = readonly Second[];

type Second = { readonly second: number; readonly attempts: number; readonly failures: number };

const WINDOW_SECONDS = 30;

/** @param now monotonic ms */
export function addAttempt(recent: RecentAttempts, failed: boolean, now: number): RecentAttempts {
  const second = Math.floor(now / 1000);
  const kept = within(recent, now);
  const last = kept.at(-1);
  const same = last?.second === second ? last : { second, attempts: 0, failures: 0 };
  const earlier = same === last ? kept.slice(0, -1) : kept;
  return [...earlier, { second, attempts: same.attempts + 1, failures: same.failures + (failed ? 1 : 0) }];
}

export function countRecent(recent: RecentAttempts, now: number): { attempts: number; failures: number } {
  let [attempts, failures] = [0, 0];
  for (const each of within(recent, now)) {
    attempts += each.attempts;
    failures += each.failures;
  }
  return { attempts, failures };
}

/** What seems to lie ahead was counted before the clock was set back: it is as good as forgotten. */
function within(recent: RecentAttempts, now: number): RecentAttempts {
  const second = Math.floor(now / 1000);
  return recent.filter((each) => each.second > second - WINDOW_SECONDS && each.second <= second);
}
