import type { Database } from "bun:sqlite";
import type { CancelSelection, History } from "../../../../src/contracts/history";
import type { Cancellations } from "../cancellations";
import type { DeliveryQueue } from "../delivery-queue";
import type { EventLog } from "../event-log";
import { CallScan } from "./call-scan";
import { CallViews } from "./call-views";
import { DeliveryScan } from "./delivery-scan";
import { DeliveryViews } from "./delivery-views";
import { Replays } from "./replays";
import { takePage } from "../../sql/take-page";
import { tenantOf } from "../../sql/tenant-of";
import { Timeline } from "./timeline";
import { UnmatchedList } from "./unmatched-list";

export type SqliteHistoryOptions = {
  readonly db: Database;
  readonly queue: DeliveryQueue;
  readonly cancellations: Pick<Cancellations, "cancelLanes">;
  readonly events: EventLog;
  /** Runs what writes. */
  readonly write: <Result>(run: () => Result) => Result;
};

/** Cancelled in one transaction. */
const CANCELLED_AT_A_TIME = 100;
/** Entries of a page that are read without a pause; 20 take 2 ms. */
const READ_AT_A_TIME = 20;

/** `History` on the tables of the queue. */
export function sqliteHistory({ db, queue, cancellations, events, write }: SqliteHistoryOptions): History {
  const deliveries = new DeliveryScan(db);
  const views = new DeliveryViews(db);
  const calls = new CallScan(db);
  const callViews = new CallViews(db);
  const timeline = new Timeline(db, views);
  const unmatched = new UnmatchedList(db);
  const replays = new Replays({ db, scan: deliveries, queue, write });
  const cancelAll = db.transaction((ids: readonly number[], tenant: string | null, reason: string, at: number) => {
    return ids.filter((id) => queue.cancelOne(id, tenant, reason, at)).length;
  }).immediate;

  async function cancelPending(selection: CancelSelection, reason: string, at: number): Promise<number> {
    if (selection.kind === "hook") return cancellations.cancelLanes({ hook: selection.hook }, reason, at);
    const tenant = tenantOf(selection.viewer);
    if (selection.kind === "call") {
      const call = callViews.idOf(selection.roomSid);
      return call === undefined ? 0 : cancellations.cancelLanes({ call, tenant }, reason, at);
    }
    let cancelled = 0;
    for (let from = 0; from < selection.ids.length; from += CANCELLED_AT_A_TIME) {
      const ids = selection.ids.slice(from, from + CANCELLED_AT_A_TIME);
      cancelled += write(() => cancelAll(ids, tenant, reason, at));
      await new Promise(setImmediate);
    }
    return cancelled;
  }

  return {
    deliveries: async (filter, { limit, after }) => {
      const { entries, next } = takePage(deliveries.rows(filter, "newest", after), limit);
      return { entries: await inSteps(entries, ({ id }) => views.view(id, null)), next };
    },
    delivery: async (id, viewer) => views.detail(id, tenantOf(viewer)),
    unmatched: async (filter, page) => unmatched.read(filter, page),
    calls: async (filter, { limit, after }) => {
      const { entries, next } = takePage(calls.rows(filter, after), limit);
      return { entries: await inSteps(entries, ({ id }) => callViews.view(id, tenantOf(filter.viewer))), next };
    },
    call: async (sid, viewer) => {
      const id = callViews.idOf(sid);
      return id === undefined ? undefined : callViews.view(id, tenantOf(viewer));
    },
    timeline: async (sid, viewer, page) => {
      const id = callViews.idOf(sid);
      if (id === undefined) return { entries: [], next: undefined };
      const { entries, next } = timeline.rows(id, tenantOf(viewer), page);
      return { entries: await inSteps(entries, ({ row }) => timeline.event(row, tenantOf(viewer))), next };
    },
    replay: (selection, options) => replays.replay(selection, options),
    callsWithoutHook: async (filter, page) => unmatched.calls(filter, page),
    eventsWithoutHook: async (sid) => events.eventsWithoutHook(sid),
    routeAgain: async (sid, again, options) => write(() => events.routeAgain(sid, again, options)),
    cancelPending,
    remembered: async (event, now) => events.remembered(event, now),
  };
}

/** Reads some, and lets others run in between: 500 entries at once would hold up an acknowledgement for 50 ms. */
async function inSteps<Item, Result>(
  items: readonly Item[],
  read: (item: Item) => Result | undefined,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const [i, item] of items.entries()) {
    if (i > 0 && i % READ_AT_A_TIME === 0) await new Promise(setImmediate);
    const result = read(item);
    // What retention has removed meanwhile.
    if (result !== undefined) results.push(result);
  }
  return results;
}
