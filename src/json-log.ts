import pino, { type LoggerOptions } from "pino";
import type { Logger } from "./contracts/logger";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** The process's log; its level may be set while it runs. */
export type ServiceLog = Logger & { level: string };

export type LogOptions = { readonly level: LogLevel };

export const LOG_OPTIONS = {
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (level: string) => ({ level }) },
} satisfies LoggerOptions;

/** JSON lines to standard output. Written in this thread: nothing is lost at the end. */
export function createLog({ level }: LogOptions): ServiceLog {
  return pino({ ...LOG_OPTIONS, level }, pino.destination({ dest: 1, sync: true }));
}
