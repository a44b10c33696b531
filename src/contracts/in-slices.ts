/**
 * Does something with many entries, so many at a time, and gives the event loop back in between: whoever waits for it, an
 * acknowledgement say, waits for one slice only.
 */
export async function inSlices<Entry>(
  entries: readonly Entry[],
  size: number,
  run: (slice: readonly Entry[]) => void | Promise<void>,
): Promise<void> {
  for (let i = 0; i < entries.length; i += size) {
    if (i > 0) await new Promise(setImmediate);
    await run(entries.slice(i, i + size));
  }
}
