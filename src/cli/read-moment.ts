import { parseDuration } from "../domain/duration";
import { parseInstant } from "../domain/instant";
import { misuse } from "./command-error";

/**
 * A time as people give one: RFC 3339, or so long ago (`90m`, `2h`, `7d`), as the API wants it.
 *
 * @param option whose value it is, for the error.
 * @param now ms since the epoch.
 * @throws CommandError when it is neither.
 */
export function readMoment(option: string, text: string | undefined, now: number): string | undefined {
  if (text === undefined) return undefined;
  const ago = parseDuration(text);
  const at = ago === undefined ? parseInstant(text) : now - ago;
  if (at === undefined) {
    throw misuse(`${option} is no time: ${text}`, `Examples: ${option} 2h, ${option} 2026-11-21T22:50:00Z`);
  }
  return new Date(at).toISOString();
}
