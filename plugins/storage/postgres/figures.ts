import type { StorageFigures } from "../../../src/contracts/storage-figures";
import type { Database } from "./database";
import { readHeldBytes } from "./held-bytes";
import { DELIVERY_STATES, EVENT_STATES } from "../sql/states";

/**
 * So many waiting ones are counted, and the oldest is the oldest of so many lanes: each costs the server a look into an index,
 * 80 ms for all of them (measured, with a million waiting in 50,000 lanes).
 */
const MOST = 20_000;

/**
 * What the database says of its contents, for all instances the same. Everything waiting is found by its lane's `due`, from
 * there by the index of a lane's deliveries: `lateral`, because joined otherwise all deliveries could be read.
 */
const FIGURES = `
with waiting as materialized (select id, head from lanes where due is not null limit ${MOST}),
  oldest as (select min(head) as id from waiting)
select
  (select count(*) from waiting) as lanes,
  (select count(*) from (
    select 1 from waiting cross join lateral (
      select 1 from deliveries d where d.lane = waiting.id and d.state = ${DELIVERY_STATES.pending} limit ${MOST}
    ) of_lane limit ${MOST}
  ) counted) as pending,
  (select case d.replay when 1 then d.made_at else e.received_at end
    from oldest join deliveries d on d.id = oldest.id join events e on e.seq = d.event) as oldest,
  (select count(*) from (select 1 from events where state = ${EVENT_STATES.unmatched} limit ${MOST}) counted) as unmatched`;

type Row = { lanes: string; pending: string; oldest: string | null; unmatched: string };

export async function readFigures(database: Database): Promise<StorageFigures> {
  const [rows, bytes] = await Promise.all([database.rows<Row>(FIGURES), readHeldBytes(database.sql)]);
  const [row] = rows;
  return {
    pending: Number(row?.pending ?? 0),
    lanes: Number(row?.lanes ?? 0),
    oldestReceivedAt: row === undefined || row.oldest === null ? undefined : Number(row.oldest),
    unmatched: Number(row?.unmatched ?? 0),
    bytes: Math.round(bytes),
  };
}
