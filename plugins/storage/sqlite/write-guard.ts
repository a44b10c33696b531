import type { Clock } from "../../../src/contracts/clock";
import type { RoomUse } from "./ballast";

export type WriteGuardOptions = {
  readonly clock: Clock;
  /** True when trying again may help. */
  readonly onDiskFull: (use: RoomUse) => boolean;
};

/**
 * So long after a failed write the storage counts as broken, unless events could be kept since: on a full disk a batch of 64
 * fails and a single row right after it succeeds (measured), so that a small probe alone says little.
 */
const BROKEN_MS = 5_000;

/** Watches over the writes: gives up the ballast when the disk is full, and remembers failures. */
export class WriteGuard {
  readonly #clock: Clock;
  readonly #onDiskFull: (use: RoomUse) => boolean;
  #failed: { readonly at: number; readonly error: unknown } | undefined;

  constructor({ clock, onDiskFull }: WriteGuardOptions) {
    this.#clock = clock;
    this.#onDiskFull = onDiskFull;
  }

  /** A write that shows that events can be kept. */
  keep<Result>(write: () => Result): Result {
    const result = this.run(write);
    this.#failed = undefined;
    return result;
  }

  /** Any other write. SQLite has rolled it back when it throws (measured: the transaction is closed by then). */
  run<Result>(write: () => Result, use: RoomUse = "events"): Result {
    try {
      try {
        return write();
      } catch (error) {
        if (isDiskFull(error) && this.#onDiskFull(use)) return write();
        throw error;
      }
    } catch (error) {
      this.#failed = { at: this.#clock.monotonic(), error };
      throw error;
    }
  }

  /** @throws the last failure, while it is fresh. */
  check(): void {
    if (this.#failed !== undefined && this.#clock.monotonic() - this.#failed.at < BROKEN_MS) throw this.#failed.error;
  }
}

/** The second: a full disk has no room for the WAL's index, which a start makes anew. */
const DISK_FULL: ReadonlySet<unknown> = new Set(["SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"]);

export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && DISK_FULL.has(error.code);
}
