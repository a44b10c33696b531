import { createHash } from "node:crypto";
import type { TransactionSQL } from "bun";

/**
 * Locks of calls, and of events that name none, until the end of the transaction: two instances that handle one room follow
 * each other, so that each routes with the call as the other left it, and a sequence within a call is in the order of the
 * commits. All that a transaction needs is taken at once and in the order of the numbers, so that nobody waits in a circle.
 */
export async function lockAll(tx: TransactionSQL, names: Iterable<string>): Promise<void> {
  const numbers = [...new Set([...names].map(lockNumber))].toSorted(compareBigInts);
  if (numbers.length === 0) return;
  // The function is called for one row after the other, as they come out of the array.
  await tx.unsafe("select pg_advisory_xact_lock(number) from unnest($1::bigint[]) as number", [
    tx.array(numbers.map(String), "BIGINT"),
  ]);
}

export const callLock = (roomSid: string): string => `call ${roomSid}`;
export const eventLock = (id: string): string => `event ${id}`;

/** Holds these calls; returns those that are there. */
export async function lockCalls(tx: TransactionSQL, calls: readonly number[]): Promise<readonly number[]> {
  const find = "select id, room_sid from calls where id = any($1::bigint[])";
  const wanted = tx.array([...calls], "BIGINT");
  const rows = (await tx.unsafe(find, [wanted])) as { room_sid: string }[];
  await lockAll(
    tx,
    rows.map((row) => callLock(row.room_sid)),
  );
  const there = (await tx.unsafe(find, [wanted])) as { id: string }[];
  return there.map(({ id }) => Number(id));
}

/** Of an advisory lock: 64 bits of a digest. Two names with the same one wait for each other, and nothing else. */
export function lockNumber(name: string): bigint {
  return createHash("sha256").update(name).digest().readBigInt64BE();
}

function compareBigInts(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
