import { Database } from "bun:sqlite";
import { join } from "node:path";

export type StoredDelivery = {
  readonly id: number;
  readonly event: string;
  readonly hook: string;
  readonly roomSid: string;
  readonly state: "pending" | "delivered" | "dead" | "expired" | "cancelled";
  readonly replay: boolean;
  /** When the event came in, or the replay was asked for; ms since the epoch. */
  readonly receivedAt: number;
  readonly tries: readonly StoredAttempt[];
};

export type StoredAttempt = { readonly status: number | undefined; readonly error: string | undefined };

type Row = {
  id: number;
  event: string;
  hook: string;
  room_sid: string;
  state: number;
  replay: number;
  received_at: number;
};

const STATES = ["pending", "delivered", "dead", "expired", "cancelled"] as const;

/**
 * What the database says of its deliveries, in the order in which they were made. Read with statements of our own: a
 * witness beside the code under test. The service may be running.
 */
export function storedDeliveries(dataDir: string): StoredDelivery[] {
  const db = new Database(join(dataDir, "sayna-sip.db"), { readonly: true });
  try {
    const tries = Map.groupBy(
      db
        .query<{ delivery: number; status: number | null; error: string | null }, []>(
          "select delivery, status, error from attempts order by delivery, n",
        )
        .all(),
      ({ delivery }) => delivery,
    );
    return db
      .query<Row, []>(
        "select d.id, e.id as event, l.hook, c.room_sid, d.state, d.replay, " +
          "iif(d.replay, d.made_at, e.received_at) as received_at from deliveries d join lanes l on l.id = d.lane " +
          "join events e on e.seq = d.event join calls c on c.id = l.call order by d.id",
      )
      .all()
      .map(({ id, event, hook, room_sid: roomSid, state, replay, received_at: receivedAt }) => ({
        id,
        event,
        hook,
        roomSid,
        state: STATES[state] ?? "pending",
        replay: replay === 1,
        receivedAt,
        tries: (tries.get(id) ?? []).map(({ status, error }) => ({
          status: status ?? undefined,
          error: error ?? undefined,
        })),
      }));
  } finally {
    db.close();
  }
}
