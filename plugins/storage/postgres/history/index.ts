import type { CancelSelection, History } from "../../../../src/contracts/history";
import { tenantOf } from "../../sql/tenant-of";
import type { Cancellations } from "../cancellations";
import type { Database } from "../database";
import type { EventLog } from "../event-log";
import type { Lanes } from "../lanes";
import { CallScan } from "./call-scan";
import { CallViews } from "./call-views";
import { DeliveryScan } from "./delivery-scan";
import { DeliveryViews } from "./delivery-views";
import { Replays } from "./replays";
import { Timeline } from "./timeline";
import { UnmatchedList } from "./unmatched-list";
import { unroutedCalls } from "./unrouted-calls";

export type PostgresHistoryOptions = {
  readonly database: Database;
  readonly events: Pick<EventLog, "eventsWithoutHook" | "routeAgain" | "remembered">;
  readonly lanes: Pick<Lanes, "add">;
  readonly cancellations: Pick<Cancellations, "cancelLanes" | "cancelSome">;
};

/** Cancelled in one transaction. */
const CANCELLED_AT_A_TIME = 100;

/**
 * `History` on the tables of the queue. A list is some statements, however long its page is; they do not share a snapshot, so
 * that one entry may be older than the next by as long as they take.
 */
export function postgresHistory({ database, events, lanes, cancellations }: PostgresHistoryOptions): History {
  const { sql } = database;
  const deliveries = new DeliveryScan(sql);
  const views = new DeliveryViews(sql);
  const calls = new CallScan(sql);
  const callViews = new CallViews(sql);
  const timeline = new Timeline(sql, views);
  const unmatched = new UnmatchedList(sql);
  const replays = new Replays({ database, scan: deliveries, lanes });

  async function cancelPending(selection: CancelSelection, reason: string, at: number): Promise<number> {
    if (selection.kind === "hook") return cancellations.cancelLanes({ hook: selection.hook }, reason, at);
    const tenant = tenantOf(selection.viewer);
    if (selection.kind === "call") {
      const call = await callViews.idOf(selection.roomSid);
      return call === undefined ? 0 : cancellations.cancelLanes({ call: Number(call), tenant }, reason, at);
    }
    let cancelled = 0;
    for (let from = 0; from < selection.ids.length; from += CANCELLED_AT_A_TIME) {
      const ids = selection.ids.slice(from, from + CANCELLED_AT_A_TIME);
      cancelled += await database.transaction((tx) => cancellations.cancelSome(tx, ids, tenant, reason, at));
    }
    return cancelled;
  }

  return {
    deliveries: async (filter, page) => {
      const { entries, next } = await deliveries.page(filter, "newest", page);
      return { entries: await views.views(entries.map(({ id }) => id)), next };
    },
    delivery: (id, viewer) => views.detail(id, tenantOf(viewer)),
    unmatched: (filter, page) => unmatched.page(filter, page),
    calls: async (filter, page) => {
      const { entries, next } = await calls.page(filter, page);
      const ids = entries.map(({ id }) => id);
      return { entries: await callViews.views(ids, tenantOf(filter.viewer)), next };
    },
    call: async (sid, viewer) => {
      const id = await callViews.idOf(sid);
      return id === undefined ? undefined : (await callViews.views([id], tenantOf(viewer)))[0];
    },
    timeline: async (sid, viewer, page) => {
      const id = await callViews.idOf(sid);
      return id === undefined ? { entries: [], next: undefined } : timeline.page(id, tenantOf(viewer), page);
    },
    replay: (selection, options) => replays.replay(selection, options),
    callsWithoutHook: (filter, page) => unroutedCalls(sql, filter, page),
    eventsWithoutHook: (sid) => events.eventsWithoutHook(sid),
    routeAgain: (sid, again, options) => events.routeAgain(sid, again, options),
    cancelPending,
    remembered: (event, now) => events.remembered(event, now),
  };
}
