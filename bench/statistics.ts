/** @param ascending sorted; 0 when it is empty. */
export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.max(Math.ceil(ascending.length * share) - 1, 0)] ?? 0;
}

export function median(values: readonly number[]): number {
  const ascending = values.toSorted((a, b) => a - b);
  const middle = (ascending.length - 1) / 2;
  return ((ascending[Math.floor(middle)] ?? 0) + (ascending[Math.ceil(middle)] ?? 0)) / 2;
}
