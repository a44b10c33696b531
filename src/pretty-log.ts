import pino from "pino";
import pretty from "pino-pretty";
import { LOG_OPTIONS, type LogOptions, type ServiceLog } from "./json-log";

/** Readable lines to standard output, coloured in a terminal (but not with NO_COLOR). */
export function createLog({ level }: LogOptions): ServiceLog {
  const colorize = process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "";
  return pino({ ...LOG_OPTIONS, level }, pretty({ sync: true, translateTime: "HH:MM:ss.l", colorize }));
}
