import pino, { type LoggerOptions } from "pino";
import type { Logger } from "./contracts/logger";

export const LOG_OPTIONS = {
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (level: string) => ({ level }) },
} satisfies LoggerOptions;

/** JSON lines to standard output. Written in this thread: nothing is lost at the end. */
export function createLog(): Logger {
  return pino(LOG_OPTIONS, pino.destination({ dest: 1, sync: true }));
}
