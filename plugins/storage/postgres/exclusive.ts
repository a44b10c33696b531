import type { ReservedSQL } from "bun";
import { sleep, type Clock } from "../../../src/contracts/clock";
import type { Logger } from "../../../src/contracts/logger";
import type { Database } from "./database";
import { lockNumber } from "./locks";

export type ExclusiveOptions = { readonly database: Database; readonly clock: Clock; readonly log: Logger };

/** Asked again so often, instead of waiting at the server, where a time-out would end it. */
const ASK_AGAIN_MS = 1_000;

/**
 * Runs `run` while no other instance runs what has this name: an advisory lock of a connection that is kept for it, which the
 * server frees when the connection is lost. Fails open when the lock cannot be asked for: `run` must be made to bear it.
 */
export async function exclusive<Result>(
  { database, clock, log }: ExclusiveOptions,
  name: string,
  run: () => Promise<Result>,
): Promise<Result> {
  const number = String(lockNumber(`exclusive ${name}`));
  let connection: ReservedSQL | undefined;
  try {
    connection = await database.sql.reserve();
    while (!(await isLocked(connection, number))) await sleep(clock, ASK_AGAIN_MS);
  } catch (error) {
    log.warn({ err: error, name }, "What only one instance should do at a time is done without a lock");
  }
  try {
    return await run();
  } finally {
    // With the connection the lock goes, whatever state it is in.
    await connection?.close().catch(() => {});
  }
}

async function isLocked(connection: ReservedSQL, number: string): Promise<boolean> {
  const [row] = (await connection.unsafe("select pg_try_advisory_lock($1::bigint) as locked", [number])) as {
    locked: boolean;
  }[];
  return row?.locked === true;
}
