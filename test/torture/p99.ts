/** The value that 99 of 100 do not exceed. */
export function p99(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.max(Math.ceil(values.length * 0.99) - 1, 0)] ?? Number.NaN;
}
