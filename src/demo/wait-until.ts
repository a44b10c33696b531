import { pause } from "./pause";

const LOOK_EVERY_MS = 10;

/**
 * Waits until `condition` holds.
 *
 * @throws the signal's reason when it is aborted first.
 */
export async function waitUntil(condition: () => boolean | Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!(await condition())) await pause(LOOK_EVERY_MS, signal);
}
