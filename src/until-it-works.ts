import { sleep, type Clock } from "./contracts/clock";
import type { Logger } from "./contracts/logger";

export type UntilItWorksOptions = {
  readonly clock: Clock;
  readonly log: Logger;
  /** False when it is not needed any more. */
  readonly goesOn: () => boolean;
};

const AGAIN_MS = 1_000;

/**
 * Runs `run` until it does not reject. For what a start reads of a storage on another machine: while that is away for a moment,
 * the service is better not ready than ended, because it says so to LiveKit and goes on by itself.
 */
export async function untilItWorks(
  run: () => Promise<void>,
  { clock, log, goesOn }: UntilItWorksOptions,
): Promise<void> {
  while (goesOn()) {
    try {
      await run();
      return;
    } catch (error) {
      log.error({ err: error }, "The storage could not be read at the start; it is tried again");
      await sleep(clock, AGAIN_MS);
    }
  }
}
