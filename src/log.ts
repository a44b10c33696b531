import pino from "pino";
import pretty from "pino-pretty";
import type { Logger } from "./contracts/logger";

/** JSON lines to standard output; readable ones when that is a terminal. Written in this thread: nothing is lost at the end. */
export function createLog(): Logger {
  const options = { base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: levelName } };
  if (!process.stdout.isTTY) return pino(options, pino.destination({ dest: 1, sync: true }));
  return pino(options, pretty({ sync: true, translateTime: "HH:MM:ss.l" }));
}

const levelName = (level: string) => ({ level });
