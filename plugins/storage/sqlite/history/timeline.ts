import type { Database } from "bun:sqlite";
import type { Page, PageRequest, TimelineEvent } from "../../../../src/contracts/history";
import { eventId, participantSid } from "../../../../src/domain/ids";
import { eventStateName } from "../../sql/states";
import { readCursor } from "../../sql/cursor";
import type { DeliveryViews } from "./delivery-views";
import { takePage } from "../../sql/take-page";
import { prepare } from "../prepare";

export type TimelineRow = {
  seq: number;
  id: string;
  name: string;
  subject: string;
  created_at: number | null;
  received_at: number;
  kept_at: number | null;
  state: number;
  fits: number;
};

export const TIMELINE_SQL = `select e.seq, e.id, e.name, e.subject, e.created_at, e.received_at, e.kept_at, e.state,
    ($tenant is null or exists (select 1 from deliveries d where d.event = e.seq and +d.tenant = $tenant)) as fits
  from events e where e.call = $call and e.seq > $seq order by e.seq`;

/** A call's events with their deliveries, oldest first. */
export class Timeline {
  readonly #rows;
  readonly #deliveries: DeliveryViews;

  constructor(db: Database, deliveries: DeliveryViews) {
    this.#rows = prepare<TimelineRow, [Record<string, string | number | null>]>(db, TIMELINE_SQL);
    this.#deliveries = deliveries;
  }

  /** @throws AppError `invalid_cursor` */
  rows(call: number, tenant: string | null, { limit, after }: PageRequest): Page<{ readonly row: TimelineRow }> {
    const [seq = 0] = after === undefined ? [0] : readCursor(after, 1);
    return takePage(scanned(this.#rows.iterate({ call, tenant, seq })), limit);
  }

  event(row: TimelineRow, tenant: string | null): TimelineEvent {
    return {
      eventId: eventId(row.id),
      eventName: row.name,
      participant: row.subject === "room" || row.subject === "unreadable" ? undefined : participantSid(row.subject),
      createdAt: row.created_at ?? undefined,
      receivedAt: row.received_at,
      keptAt: row.kept_at ?? undefined,
      state: eventStateName(row.state),
      deliveries: this.#deliveries.ofEvent(row.seq, tenant),
    };
  }
}

function* scanned(rows: Iterable<TimelineRow>) {
  for (const row of rows) yield { row, fits: row.fits === 1, position: [row.seq] };
}
