import type { ReservedSQL, SQL } from "bun";
import { lockNumber } from "./locks";

const SWEEP_LOCK = String(lockNumber("sweep"));

/**
 * Makes one instance at a time sweep. The lock belongs to a connection, so that it is free as soon as its holder's process or
 * connection is gone.
 */
export class SweepLock {
  readonly #sql: SQL;
  #held: ReservedSQL | undefined;

  constructor(sql: SQL) {
    this.#sql = sql;
  }

  /** The connection that holds the lock; undefined when another instance has it. */
  async take(): Promise<ReservedSQL | undefined> {
    if (this.#held !== undefined) return this.#held;
    const connection = await this.#sql.reserve();
    try {
      const [row] = await connection<{ taken: boolean }[]>`select pg_try_advisory_lock(${SWEEP_LOCK}::bigint) as taken`;
      if (row?.taken === true) this.#held = connection;
    } finally {
      if (this.#held === undefined) await connection.release();
    }
    return this.#held;
  }

  async free(): Promise<void> {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    try {
      await held`select pg_advisory_unlock(${SWEEP_LOCK}::bigint)`;
      await held.release();
    } catch {
      // The connection is closed rather than used again, or it would keep the lock from all others.
      await held.close({ timeout: 0 }).catch(() => {});
    }
  }
}
