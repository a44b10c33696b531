/** How much of a rate is left. `at`: monotonic ms. */
export type TokenBucket = { readonly tokens: number; readonly at: number };

/** So much of a second's tokens may go at once: a burst, and yet the rate holds within any second, but for a tenth. */
const BURST_SECONDS = 0.1;

/** @param rate tokens per second */
export function refill(bucket: TokenBucket | undefined, rate: number, now: number): TokenBucket {
  const most = Math.max(1, rate * BURST_SECONDS);
  if (bucket === undefined) return { tokens: most, at: now };
  const passed = Math.max(now - bucket.at, 0);
  return { tokens: Math.min(bucket.tokens + (passed * rate) / 1000, most), at: now };
}

/** Takes tokens, at most the whole ones that are there. */
export function take(bucket: TokenBucket, count: number): TokenBucket {
  return { ...bucket, tokens: bucket.tokens - count };
}

/** Milliseconds until there is a whole token. */
export function untilNext({ tokens }: TokenBucket, rate: number): number {
  return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * 1000) / rate);
}
