import type { SQL } from "bun";
import type { Page, PageRequest, TimelineEvent } from "../../../../src/contracts/history";
import { eventId, participantSid } from "../../../../src/domain/ids";
import { readCursor } from "../../sql/cursor";
import { eventStateName } from "../../sql/states";
import { numberOrNothing, type DeliveryViews } from "./delivery-views";
import { readPage, type PageOptions } from "./read-page";

/** A `bigint` arrives as a string. */
type Row = {
  seq: string;
  id: string;
  name: string;
  subject: string;
  created_at: string | null;
  received_at: string;
  kept_at: string;
  state: number;
  fits: boolean;
};

/** A call's events with their deliveries, oldest first. */
export class Timeline {
  readonly #sql: SQL;
  readonly #deliveries: DeliveryViews;

  constructor(sql: SQL, deliveries: DeliveryViews) {
    this.#sql = sql;
    this.#deliveries = deliveries;
  }

  /** @throws AppError `invalid_cursor` */
  async page(call: string, tenant: string | null, { limit, after }: PageRequest): Promise<Page<TimelineEvent>> {
    const { entries, next } = await readPage(this.#sql, { ...timelineScan(this.#sql, call, tenant, after), limit });
    const seqs = entries.map(({ seq }) => seq);
    const deliveries = await this.#deliveries.ofEvents(seqs, tenant);
    return { entries: entries.map((row) => ({ ...toEvent(row), deliveries: deliveries.get(row.seq) ?? [] })), next };
  }
}

/** @throws AppError `invalid_cursor` */
export function timelineScan(
  sql: SQL,
  call: string,
  tenant: string | null,
  after: string | undefined,
): Omit<PageOptions<Row>, "limit"> {
  const [seq = 0] = after === undefined ? [0] : readCursor(after, 1);
  const sent = sql`exists (select 1 from deliveries d where d.event = e.seq and d.tenant = ${tenant})`;
  return {
    scan: sql`select e.seq, e.id, e.name, e.subject, e.created_at, e.received_at, e.kept_at, e.state,
        ${tenant === null ? sql`true` : sent} as fits
      from events e where e.call = ${call} and e.seq > ${seq}`,
    order: sql`seq`,
    position: (row) => [Number(row.seq)],
  };
}

function toEvent(row: Row): Omit<TimelineEvent, "deliveries"> {
  return {
    eventId: eventId(row.id),
    eventName: row.name,
    participant: row.subject === "room" || row.subject === "unreadable" ? undefined : participantSid(row.subject),
    createdAt: numberOrNothing(row.created_at),
    receivedAt: Number(row.received_at),
    keptAt: Number(row.kept_at),
    state: eventStateName(row.state),
  };
}
