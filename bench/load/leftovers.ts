import { rmSync } from "node:fs";
import { constants } from "node:os";
import type { Subprocess } from "bun";

const processes = new Set<Subprocess>();
const directories = new Set<string>();

/** Ends with the bench, also when that is interrupted. */
export function endsWithUs<Started extends Subprocess>(started: Started): Started {
  processes.add(started);
  void started.exited.then(() => processes.delete(started));
  return started;
}

/** Is removed with the bench, also when that is interrupted: some hold more than a gigabyte. */
export function goesWithUs(directory: string): string {
  directories.add(directory);
  return directory;
}

process.once("exit", () => {
  for (const started of processes) started.kill("SIGKILL");
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}
