import pino from "pino";
import pretty from "pino-pretty";
import type { Logger } from "./contracts/logger";
import { LOG_OPTIONS } from "./json-log";

/** Readable lines to a terminal. */
export function createLog(): Logger {
  return pino(LOG_OPTIONS, pretty({ sync: true, translateTime: "HH:MM:ss.l" }));
}
