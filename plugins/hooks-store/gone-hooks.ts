import type { Clock } from "../../src/contracts/clock";
import { inSlices } from "../../src/contracts/in-slices";
import type { Logger } from "../../src/contracts/logger";
import type { Storage } from "../../src/contracts/storage";
import type { HookId } from "../../src/domain/ids";
import { followUp } from "./follow-up";

export type GoneHooksOptions = {
  readonly storage: Pick<Storage, "cancelHook">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly isActive: (hook: HookId) => boolean;
};

/** A commit that was under way when the table changed has ended by then. */
const LATE_CANCEL_MS = 15_000;
/** Cancellations that are asked for in a row. */
const CANCELLED_AT_A_TIME = 50;

/** Cancels what is pending for hooks that are in the table no more. */
export class GoneHooks {
  readonly #options: GoneHooksOptions;

  constructor(options: GoneHooksOptions) {
    this.#options = options;
  }

  /** @throws what the storage says: some of it may be cancelled then. */
  cancel(hooks: readonly HookId[]): Promise<void> {
    const { storage, log } = this.#options;
    return inSlices(hooks, CANCELLED_AT_A_TIME, async (slice) => {
      for (const hook of slice) {
        const cancelled = await storage.cancelHook(hook);
        if (cancelled > 0) log.warn({ hook, cancelled }, "Deliveries cancelled: their SIP hook is gone");
      }
    });
  }

  /** For hooks that a change has just taken out: now, and once more a little later, unless they are back by then. */
  async leave(gone: readonly HookId[]): Promise<void> {
    if (gone.length === 0) return;
    const { clock, log, isActive } = this.#options;
    const stillGone = () => gone.filter((hook) => !isActive(hook));
    // What was being kept with the table as it was before; and what could not be cancelled at first.
    clock.after(LATE_CANCEL_MS, () => void followUp(() => this.cancel(stillGone()), log));
    await followUp(() => this.cancel(gone), log);
  }
}
