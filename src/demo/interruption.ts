/** The user, or the system, wants an end. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  /** What a shell expects of a process that ended so: 128 and the signal's number. */
  readonly exitCode: number;

  constructor(signal: keyof typeof SIGNALS) {
    super(`Interrupted (${signal}). The server is stopped and its data removed.`);
    this.exitCode = 128 + SIGNALS[signal];
  }
}

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGPIPE: 13, SIGTERM: 15 } as const;
const HANDLED = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/**
 * Calls `stop` when the process is to end, instead of ending it, so that it can clean up: on a signal, and when nobody
 * reads standard output any more.
 *
 * @returns what gives the signals their usual effect back.
 */
export function onInterruption(stop: (reason: Interrupted) => void): () => void {
  const onOutputError = (): void => stop(new Interrupted("SIGPIPE"));
  // It is not taken off again: the last words may fail as well, which must not look like a crash.
  process.stdout.on("error", onOutputError);
  const handlers = HANDLED.map((name) => [name, () => stop(new Interrupted(name))] as const);
  for (const [name, handler] of handlers) process.on(name, handler);
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
  };
}
