/** A promise does not hold. */
export class BrokenPromise extends Error {}

const MOST_SHOWN = 2_000;

export function promise(text: string, holds: boolean, seen: unknown): void {
  if (!holds) throw new BrokenPromise(`${text}: ${JSON.stringify(seen).slice(0, MOST_SHOWN)}`);
}
