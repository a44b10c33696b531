import { stat } from "node:fs/promises";
import type { Clock } from "./contracts/clock";

export type WatchFileOptions = {
  readonly path: string;
  readonly clock: Clock;
  /** The file is another one than it was at the start, or when this was called last. */
  readonly onChange: () => void;
  /** Says in some text which file is there, and how; undefined while there is none. */
  readonly look?: (path: string) => Promise<string | undefined>;
};

const LOOK_MS = 500;

/**
 * Looks at a file twice a second until it is told to stop. Not the system's notices: they follow the file that was there, so
 * that an editor that writes a new one and renames it is not noticed, nor a symbolic link that leads elsewhere (how Kubernetes
 * changes a mounted file), nor a change on another machine. A change counts when a second look finds the same, since a file
 * that is still being written is not what its author meant. A file that is gone is waited for.
 *
 * @returns what stops it.
 */
export function watchFile({ path, clock, onChange, look = versionOf }: WatchFileOptions): () => void {
  let known: string | undefined;
  let last: string | undefined;
  let stopped = false;
  let cancel = () => {};

  async function lookAgain(): Promise<void> {
    const version = await look(path);
    if (stopped) return;
    known ??= version;
    if (version !== undefined && version !== known && version === last) {
      known = version;
      onChange();
    }
    last = version;
    cancel = clock.after(LOOK_MS, () => void lookAgain());
  }

  void lookAgain();
  return () => {
    stopped = true;
    cancel();
  };
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(":");
  } catch {
    // Fails open because an editor that renames leaves none there for a moment; the next look finds the new one.
    return undefined;
  }
}
