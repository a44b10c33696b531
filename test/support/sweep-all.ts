import type { RetentionLimits, Upkeep } from "../../src/contracts/upkeep";

/** Sweeps until nothing is left to do; returns how many events were removed. */
export async function sweepAll(storage: Pick<Upkeep, "sweep">, limits: RetentionLimits, now: number): Promise<number> {
  for (let removed = 0; ;) {
    const step = await storage.sweep(limits, now);
    removed += step.removed;
    if (!step.more) return removed;
  }
}
