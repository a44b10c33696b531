import { sleep, type Clock } from "../../../src/contracts/clock";
import type { Logger } from "../../../src/contracts/logger";
import type { Settlement, Storage } from "../../../src/contracts/storage";
import { groupCalls } from "../group-calls";

/** A storage that cannot write is tried again this often. */
const SETTLE_RETRY_MS = 1_000;

export type SettlerOptions = {
  readonly storage: Pick<Storage, "settle">;
  readonly clock: Clock;
  readonly log: Logger;
  /** False when no more may be tried. */
  readonly goesOn: () => boolean;
};

/** Makes the function that writes what came of deliveries: together in one transaction, and again until it is written. */
export function createSettler({ storage, clock, log, goesOn }: SettlerOptions) {
  const settle = groupCalls(async (settlements: readonly Settlement[]) => {
    await storage.settle(settlements);
    return settlements;
  });

  /** A result that cannot be written keeps its lane busy: sent again at once, it would reach the hook over and over. */
  return async function settleSurely(settlement: Settlement): Promise<void> {
    for (;;) {
      try {
        await settle(settlement);
        return;
      } catch (error) {
        log.error({ err: error, delivery: settlement.delivery.id }, "The outcome of a delivery could not be saved");
        // Fails open at the stop because the delivery is repeated after the start, with the same webhook-id.
        if (!goesOn()) return;
        await sleep(clock, SETTLE_RETRY_MS);
      }
    }
  };
}
