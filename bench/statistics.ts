/** The value that this share of the values, from 0 to 1, does not exceed; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const ascending = values.toSorted((a, b) => a - b);
  return ascending[Math.max(Math.ceil(ascending.length * share) - 1, 0)] ?? 0;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);
