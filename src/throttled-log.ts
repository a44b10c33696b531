import type { Clock } from "./contracts/clock";
import type { Logger } from "./contracts/logger";
import { LogThrottle, type LeftOut } from "./domain/log-throttle";

export type ThrottledLog = Logger & {
  /** Says now what was left out, at the end. */
  flush(): void;
};

type Level = "warn" | "error";
type Kind = { readonly level: Level; readonly message: string; readonly hook?: string; readonly host?: string };

/** A hook that fails writes ten lines and a number a minute, whatever comes for it; so does a disk. */
const RULE = { first: 10, windowMs: 60_000, kinds: 5_000 } as const;

/**
 * Writes of the same warning or error about the same hook the first ten of a minute, and at its end how many there were more.
 * What is below a warning is written as it is: there is one for each call at most, or somebody asked for it by `log.level`.
 */
export function createThrottledLog(log: Logger, clock: Clock): ThrottledLog {
  const throttle = new LogThrottle(RULE);
  const kinds = new Map<string, Kind>();
  let cancel: (() => void) | undefined;

  function write(level: Level, fields: object, message: string): void {
    const now = clock.monotonic();
    tell(throttle.takeDue(now));
    const kind = kindOf(level, fields, message);
    const key = JSON.stringify([level, message, kind.hook]);
    const { say, as } = throttle.note(key, now);
    if (say) log[level](fields, message);
    else if (as === key) kinds.set(key, kind);
    cancel ??= clock.after(throttle.untilDue(now) ?? 0, look);
  }

  function look(): void {
    const now = clock.monotonic();
    cancel = undefined;
    tell(throttle.takeDue(now));
    const next = throttle.untilDue(now);
    if (next !== undefined) cancel = clock.after(next, look);
  }

  function tell(leftOut: readonly LeftOut[]): void {
    for (const { kind: key, count } of leftOut) {
      const { level, message, ...about } = kinds.get(key) ?? OTHERS;
      kinds.delete(key);
      log[level]({ ...about, count }, `Left out of the log, more of: ${message}`);
    }
  }

  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => write("warn", fields, message),
    error: (fields, message) => write("error", fields, message),
    flush() {
      cancel?.();
      cancel = undefined;
      tell(throttle.takeDue(Infinity));
    },
  };
}

const OTHERS: Kind = { level: "warn", message: "other lines" };

function kindOf(level: Level, fields: object, message: string): Kind {
  const { hook, host } = fields as { readonly hook?: unknown; readonly host?: unknown };
  return {
    level,
    message,
    ...(typeof hook === "string" ? { hook } : {}),
    ...(typeof hook === "string" && typeof host === "string" ? { host } : {}),
  };
}
