import type { CancelSelection, History } from "../../../../src/contracts/history";
import { tenantOf } from "../../sqlite/history/tenant-of";
import { CallScan } from "./call-scan";
import { CallViews } from "./call-views";
import { DeliveryScan } from "./delivery-scan";
import { DeliveryViews } from "./delivery-views";
import type { PostgresHistoryOptions } from "./needs";
import { Replays } from "./replays";
import { Timeline } from "./timeline";
import { UnmatchedList } from "./unmatched-list";
import { unroutedCalls } from "./unrouted-calls";

export type { LockCalls, NeededEvents, NeededQueue, NewReplay, PostgresHistoryOptions, Transaction } from "./needs";

/** Cancelled in one transaction. */
const CANCELLED_AT_A_TIME = 100;

/**
 * `History` on the tables of the queue. A list is some statements, however long its page is; they do not share a snapshot, so
 * that one entry may be older than the next by as long as they take.
 */
export function postgresHistory({ sql, transaction, queue, events, lockCalls }: PostgresHistoryOptions): History {
  const deliveries = new DeliveryScan(sql);
  const views = new DeliveryViews(sql);
  const calls = new CallScan(sql);
  const callViews = new CallViews(sql);
  const timeline = new Timeline(sql, views);
  const unmatched = new UnmatchedList(sql);
  const replays = new Replays({ sql, transaction, scan: deliveries, queue, lockCalls });

  async function cancelPending(selection: CancelSelection, reason: string, at: number): Promise<number> {
    if (selection.kind === "hook") return queue.cancelLanes({ hook: selection.hook }, reason, at);
    const tenant = tenantOf(selection.viewer);
    if (selection.kind === "call") {
      const call = await callViews.idOf(selection.roomSid);
      return call === undefined ? 0 : queue.cancelLanes({ call: Number(call), tenant }, reason, at);
    }
    let cancelled = 0;
    for (let from = 0; from < selection.ids.length; from += CANCELLED_AT_A_TIME) {
      const ids = selection.ids.slice(from, from + CANCELLED_AT_A_TIME);
      cancelled += await transaction((tx) => queue.cancelSome(tx, ids, tenant, reason, at));
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
