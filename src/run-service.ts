import { dirname, resolve } from "node:path";
import { ConfigError, loadConfig, type Config } from "../plugins/config-loader";
import { systemClock } from "./contracts/clock";
import type { LogLevel } from "./json-log";
import type { ReloadRequests } from "./reload-requests";
import { serve } from "./serve";
import { createThrottledLog } from "./throttled-log";

export type RunServiceOptions = {
  /** The configuration's; without it everything is in the environment. */
  readonly file: string | undefined;
  readonly requests: ReloadRequests;
};

/** Runs the service as a process: configuration, log, signals. Returns the exit code. */
export async function runService({ file, requests }: RunServiceOptions): Promise<number> {
  const signalled = waitForSignal();
  const load = () => loadConfig(file === undefined ? {} : { file });
  const config = readConfig(load);
  if (config === undefined) return 1;
  const directory = file === undefined ? process.cwd() : dirname(resolve(file));
  const { level, format } = config.log;
  // What makes lines readable takes 30 ms to load, which a service does not need.
  const pretty = format === "pretty" || (format === "auto" && process.stdout.isTTY);
  const { createLog } = await (pretty ? import("./pretty-log") : import("./json-log"));
  const written = createLog({ level });
  const log = createThrottledLog(written, systemClock);
  const setLogLevel = (next: LogLevel) => {
    written.level = next;
  };
  const code = await serve(config, { log, directory, signalled, reload: { requests, load, setLogLevel } });
  log.flush();
  return code;
}

function waitForSignal(): Promise<string> {
  return new Promise((tell) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => tell(signal));
  });
}

/** Undefined when it is wrong; what is wrong has been said then. */
function readConfig(load: () => Config): Config | undefined {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return undefined;
  }
}
