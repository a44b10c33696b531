import type { Logger } from "../../src/contracts/logger";

/** What a change brings with it, once it is on disk and in force. Never rejects. */
export async function followUp(run: () => Promise<unknown>, log: Logger): Promise<void> {
  try {
    await run();
  } catch (error) {
    // Fails open because the change stands: to say that it failed would be wrong. Nothing is sent to a hook that is gone,
    // and the next start cancels what is left.
    log.error({ err: error }, "What follows from a change of the SIP hooks could not be saved");
  }
}
