import { systemClock } from "./contracts/clock";
import type { ReloadCause } from "./create-reloader";
import { watchFile } from "./watch-file";

/** Calls the listener when the configuration is to be read again. */
export type ReloadRequests = (listener: (cause: ReloadCause) => void) => void;

export type ReloadRequestsOptions = {
  /** A file whose change asks for it, too. */
  readonly watch: string | undefined;
};

/** SIGHUP, from now on: without a handler it would end the process, also while that starts. */
export function reloadRequests({ watch }: ReloadRequestsOptions): ReloadRequests {
  let early: ReloadCause | undefined;
  let tell = (cause: ReloadCause): void => {
    early = cause;
  };
  process.on("SIGHUP", () => tell("SIGHUP"));
  if (watch !== undefined) watchFile({ path: watch, clock: systemClock, onChange: () => tell("watch") });
  return (listener) => {
    tell = listener;
    if (early !== undefined) listener(early);
  };
}
