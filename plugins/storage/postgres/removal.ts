import type { SQL, TransactionSQL } from "bun";
import { CALL_MEMORY_MS } from "../../../src/domain/call";
import { IDS_AT_A_TIME, KNOWN_ID_MS } from "../sql/known-ids";
import { bigints, texts } from "./array-parameters";
import type { FinishedEvent } from "./finished-events";
import type { RemovedRows } from "./held-bytes";
import { callLock, lockNumber } from "./locks";

/** Takes rows out of the database; what may be taken out is decided elsewhere. */
export class Removal {
  /**
   * Holds those of these calls that nobody else holds, so that nobody can add to them until the end of the transaction. It
   * waits for none: what it passes over stays until the next sweep.
   */
  async lockFree(tx: TransactionSQL, sids: readonly string[]): Promise<ReadonlySet<string>> {
    const wanted = [...new Set(sids)];
    const numbers = wanted.map((sid) => String(lockNumber(callLock(sid))));
    const rows = await tx<{ sid: string }[]>`select sid
      from unnest(${texts(tx, wanted)}::text[], ${bigints(tx, numbers)}::bigint[]) as asked (sid, number)
      where pg_try_advisory_xact_lock(number)`;
    return new Set(rows.map(({ sid }) => sid));
  }

  /** Events with all their deliveries and attempts. */
  async removeEvents(tx: TransactionSQL, events: readonly FinishedEvent[], now: number): Promise<RemovedRows> {
    const seqs = bigints(
      tx,
      events.map(({ seq }) => seq),
    );
    // Whoever changes a lane holds it: an attempt that ends now is written before, or finds nothing to write to.
    const lanes = await tx<{ id: string }[]>`select id from lanes
      where id in (select lane from deliveries where event = any(${seqs})) order by id for update`;
    const deliveries = await tx`delete from deliveries where event = any(${seqs})`;
    const young = events.filter(({ received_at: receivedAt }) => receivedAt + KNOWN_ID_MS > now);
    await tx`insert into removed_events (id, forget_at)
      select * from unnest(${texts(
        tx,
        young.map(({ id }) => id),
      )}::text[],
        ${bigints(
          tx,
          young.map(({ received_at: receivedAt }) => receivedAt + KNOWN_ID_MS),
        )}::bigint[])
      on conflict (id) do update set forget_at = excluded.forget_at`;
    const removed = await tx<{ bytes: number }[]>`delete from events where seq = any(${seqs})
      returning octet_length(body) as bytes`;
    await tx`delete from lanes where id = any(${bigints(
      tx,
      lanes.map(({ id }) => id),
    )}) and head is null
      and not exists (select 1 from deliveries d where d.lane = lanes.id)`;
    const bodyBytes = removed.reduce((sum, { bytes }) => sum + bytes, 0);
    return { events: removed.length, deliveries: Number(deliveries.count), bodyBytes };
  }

  /**
   * Removes those of the next `limit` calls that may be forgotten: they have no events, nor had any for so long, and nobody
   * holds them. Returns where to go on; undefined at the end.
   */
  async removeCalls(tx: TransactionSQL, after: number, limit: number, now: number): Promise<number | undefined> {
    const old = now - CALL_MEMORY_MS;
    const rows = await tx<
      { id: string; room_sid: string; old: boolean }[]
    >`select id, room_sid, last_at <= ${old} as old
      from calls where id > ${after} order by id limit ${limit}`;
    const last = rows.at(-1);
    const free = await this.lockFree(
      tx,
      rows.filter((row) => row.old).map(({ room_sid: sid }) => sid),
    );
    // Looked at again now that nobody can add to them.
    const calls = await tx<{ id: string }[]>`select id from calls
      where room_sid = any(${texts(tx, free)}) and last_at <= ${old}
        and not exists (select 1 from events e where e.call = calls.id)`;
    const ids = bigints(
      tx,
      calls.map(({ id }) => id),
    );
    await tx`delete from lanes where call = any(${ids})`;
    await tx`delete from calls where id = any(${ids})`;
    // Ids follow time: behind a whole window of young calls there are only younger ones.
    const end = last === undefined || rows.length < limit || rows.every((row) => !row.old);
    return end ? undefined : Number(last.id);
  }

  /** False when none is old enough. */
  async forgetIds(sql: SQL, now: number): Promise<boolean> {
    const { count } = await sql`delete from removed_events where id in
      (select id from removed_events where forget_at <= ${now} order by forget_at limit ${IDS_AT_A_TIME})`;
    return count > 0;
  }
}
