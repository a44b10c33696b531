import { ConfigError, startupNotes, type Config } from "../plugins/config-loader";
import type { SaynaSip } from "./app";
import type { Clock } from "./contracts/clock";
import type { Logger } from "./contracts/logger";

/** Why the configuration is read again. */
export type ReloadCause = "SIGHUP" | "watch";

export type ReloaderOptions = {
  /** What it was started with. */
  readonly config: Config;
  /** Reads and checks the whole configuration, as at the start; throws ConfigError. */
  readonly load: () => Config;
  readonly service: Pick<SaynaSip, "reload">;
  readonly log: Logger;
  readonly setLogLevel: (level: Config["log"]["level"]) => void;
  readonly clock: Clock;
};

/**
 * Makes the function that reads the configuration again and puts in force what can change. One at a time: what is asked for
 * meanwhile is one more afterwards. It never rejects, and fails closed: after any fault everything stays as it was, because
 * half of a configuration is one that nobody wrote.
 */
export function createReloader({ config, load, service, log, setLogLevel, clock }: ReloaderOptions) {
  let said = notesOf(config);
  let running: Promise<void> | undefined;
  let again: ReloadCause | undefined;

  async function reloadOnce(cause: ReloadCause): Promise<void> {
    const began = clock.monotonic();
    const next = read(cause);
    if (next === undefined) return;
    try {
      const { changed, waiting } = await service.reload(next);
      setLogLevel(next.log.level);
      log.info({ cause, changed, ms: Math.round(clock.monotonic() - began) }, "The configuration was read again");
      for (const change of waiting) log.warn(change, "A changed setting counts after a restart only");
      const notes = notesOf(next);
      for (const [message, level] of notes) if (!said.has(message)) log[level]({}, message);
      said = notes;
    } catch (error) {
      log.error({ cause, err: error }, "The configuration could not be put in force: nothing was changed");
    }
  }

  function read(cause: ReloadCause): Config | undefined {
    try {
      return load();
    } catch (error) {
      const problems = error instanceof ConfigError ? { problems: error.problems } : { err: error };
      log.error({ cause, ...problems }, "The configuration has faults: nothing was changed");
      return undefined;
    }
  }

  return async function reload(cause: ReloadCause): Promise<void> {
    if (running !== undefined) {
      again = cause;
      return running;
    }
    running = (async () => {
      for (let next: ReloadCause | undefined = cause; next !== undefined; next = again) {
        again = undefined;
        await reloadOnce(next);
      }
    })();
    await running.finally(() => {
      running = undefined;
    });
  };
}

const notesOf = (config: Config) => new Map(startupNotes(config).map(({ level, message }) => [message, level]));
