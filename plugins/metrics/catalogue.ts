import type { Distribution } from "../../src/domain/distribution";
import type { StorageFigures } from "../../src/contracts/storage-figures";
import type { Snapshot } from "./snapshot";

type Labels = Readonly<Record<string, string>>;
export type Sample<Value> = { readonly value: Value; readonly labels?: Labels };

type Named = { readonly name: string; readonly help: string; readonly labels?: readonly string[] };

/** One metric: how it is called, and where a scrape finds it. */
export type MetricDefinition =
  | (Named & { readonly kind: "counter" | "gauge"; readonly read: (from: Snapshot) => readonly Sample<number>[] })
  | (Named & { readonly kind: "histogram"; readonly read: (from: Snapshot) => readonly Sample<Distribution>[] });

const PREFIX = "sayna_sip_";

const one = <Value>(value: Value | undefined): readonly Sample<Value>[] => (value === undefined ? [] : [{ value }]);

/** One sample for each value of a label. */
function each<Value>(label: string, values: Readonly<Record<string, Value>> | undefined): readonly Sample<Value>[] {
  return Object.entries(values ?? {}).map(([name, value]) => ({ value, labels: { [label]: name } }));
}

/** What the storage said, when it said something. */
function stored(read: (figures: StorageFigures) => number | undefined): (from: Snapshot) => readonly Sample<number>[] {
  return ({ figures }) => (figures === undefined || figures === "unreadable" ? [] : one(read(figures)));
}

/**
 * Every metric of ours. Labels have few values, all of them known here: hooks, hosts, tenants and rooms are none, because
 * there may be a hundred thousand of them; which hook it is say the log and `GET /sip/hooks`.
 */
export const CATALOGUE: readonly MetricDefinition[] = [
  {
    kind: "gauge",
    name: `${PREFIX}build_info`,
    help: "1, with the running version.",
    labels: ["version"],
    read: ({ version }) => [{ value: 1, labels: { version } }],
  },
  {
    kind: "counter",
    name: `${PREFIX}webhooks_total`,
    help:
      "LiveKit's webhooks that were signed as they should be, by what became of them: kept; duplicate, known already; not_sip, " +
      "of a room without the prefix; no_hooks, while the forwarding table was empty; not_kept, answered 503.",
    labels: ["result"],
    read: ({ webhooks }) =>
      webhooks === undefined
        ? []
        : each("result", {
            kept: webhooks.kept,
            duplicate: webhooks.duplicate,
            not_sip: webhooks.notSip,
            no_hooks: webhooks.noHooks,
            not_kept: webhooks.refused,
          }),
  },
  {
    kind: "counter",
    name: `${PREFIX}webhook_refusals_total`,
    help: "Webhooks answered 401, by what was wrong with their token. LiveKit does not send them again.",
    labels: ["reason"],
    read: ({ measures: { refusals } }) =>
      each("reason", Object.fromEntries([...refusals].map(([reason, count]) => [reason.replaceAll("-", "_"), count]))),
  },
  {
    kind: "histogram",
    name: `${PREFIX}acknowledgement_seconds`,
    help: "From a SIP webhook's arrival to its answer of 200. LiveKit waits for it before it sends the room's next event.",
    read: ({ measures }) => one(measures.acknowledgement),
  },
  {
    kind: "histogram",
    name: `${PREFIX}webhook_lateness_seconds`,
    help:
      "From LiveKit's createdAt, which has whole seconds, to a SIP webhook's first arrival. LiveKit drops what has waited " +
      "for 30 s; below 0, when its clock is ahead, counts as 0.",
    read: ({ measures }) => one(measures.lateness),
  },
  {
    kind: "counter",
    name: `${PREFIX}webhook_gaps_total`,
    help:
      "What LiveKit did not deliver as it should: out_of_order, unseen_start (the room_started is missing, or was before " +
      "this start), missing_joined, missing_left; given_up, refused by us as often as LiveKit tries.",
    labels: ["kind"],
    read: ({ gaps }) =>
      gaps === undefined
        ? []
        : each("kind", {
            out_of_order: gaps.outOfOrder,
            unseen_start: gaps.unseenStart,
            missing_joined: gaps.missingJoined,
            missing_left: gaps.missingLeft,
            given_up: gaps.givenUp,
          }),
  },
  {
    kind: "counter",
    name: `${PREFIX}unmatched_participants_total`,
    help: "SIP participants whose called host no hook matched.",
    read: ({ measures }) => one(measures.unmatchedParticipants),
  },
  {
    kind: "counter",
    name: `${PREFIX}unmatched_events_total`,
    help: "Events that were listed as unmatched.",
    read: ({ measures }) => one(measures.unmatchedEvents),
  },
  {
    kind: "histogram",
    name: `${PREFIX}commit_seconds`,
    help: "How long a commit took: the transaction that keeps events, with the disk's sync. Its count is that of the commits.",
    read: ({ measures }) => one(measures.commit),
  },
  {
    kind: "histogram",
    name: `${PREFIX}commit_events`,
    help: "Events in one commit.",
    read: ({ measures }) => one(measures.commitEvents),
  },
  {
    kind: "counter",
    name: `${PREFIX}commit_failures_total`,
    help: "Commits that failed; their events were answered 503.",
    read: ({ measures }) => one(measures.commitFailures),
  },
  {
    kind: "histogram",
    name: `${PREFIX}queueing_seconds`,
    help: "From an event's arrival to the beginning of its first attempt, for each delivery.",
    read: ({ measures }) => one(measures.queueing),
  },
  {
    kind: "histogram",
    name: `${PREFIX}attempt_seconds`,
    help:
      "How long an attempt took, by what it says: success, 2xx; event, refused for what it is; gone, 410; endpoint, " +
      "every other failure.",
    labels: ["verdict"],
    read: ({ measures }) => each("verdict", measures.attempts),
  },
  {
    kind: "counter",
    name: `${PREFIX}attempts_total`,
    help: "Attempts by the answer's status; none: there was no whole answer.",
    labels: ["status"],
    read: ({ measures }) => each("status", measures.statuses),
  },
  {
    kind: "histogram",
    name: `${PREFIX}delivery_seconds`,
    help: "From an event's arrival to its delivery, retries and outages included.",
    read: ({ measures }) => one(measures.delivery),
  },
  {
    kind: "counter",
    name: `${PREFIX}deliveries_total`,
    help: "Deliveries that ended: delivered; dead, given up; expired, too old.",
    labels: ["outcome"],
    read: ({ measures: { outcomes } }) =>
      each("outcome", { delivered: outcomes.delivered, dead: outcomes.dead, expired: outcomes.expired }),
  },
  {
    kind: "counter",
    name: `${PREFIX}retries_total`,
    help: "Attempts after which the delivery waits for the next one.",
    read: ({ measures }) => one(measures.outcomes.retry),
  },
  {
    kind: "gauge",
    name: `${PREFIX}attempts_in_flight`,
    help: "Attempts under way; 200 at most.",
    read: ({ present }) => one(present?.inFlight),
  },
  {
    kind: "gauge",
    name: `${PREFIX}breakers_open`,
    help: "Hooks whose breaker is open: their deliveries wait until a probe is answered.",
    read: ({ present }) => one(present?.openBreakers),
  },
  {
    kind: "counter",
    name: `${PREFIX}breakers_opened_total`,
    help: "How often a breaker opened.",
    read: ({ measures }) => one(measures.breakersOpened),
  },
  {
    kind: "gauge",
    name: `${PREFIX}hooks`,
    help: "Hooks of the forwarding table.",
    read: ({ present }) => one(present?.hooks),
  },
  {
    kind: "gauge",
    name: `${PREFIX}hooks_paused`,
    help: "Hooks that are paused, by an operator or because they answered 410.",
    read: ({ present }) => one(present?.pausedHooks),
  },
  {
    kind: "gauge",
    name: `${PREFIX}deliveries_pending`,
    help:
      "Deliveries that wait or are under way, in the whole storage: counted to 100,000 in SQLite, to 20,000 in Postgres. " +
      "The same from every instance.",
    read: stored(({ pending }) => pending),
  },
  {
    kind: "gauge",
    name: `${PREFIX}lanes_pending`,
    help: "Pairs of hook and call that have such deliveries; counted as far.",
    read: stored(({ lanes }) => lanes),
  },
  {
    kind: "gauge",
    name: `${PREFIX}oldest_pending_seconds`,
    help: "The age of the oldest such delivery; 0 when there is none.",
    read: ({ figures, now }) => {
      if (figures === undefined || figures === "unreadable") return [];
      const { pending, oldestReceivedAt: at } = figures;
      if (at !== undefined) return one(Math.max(now - at, 0) / 1000);
      // Not known yet is no figure; none is 0.
      return pending === 0 ? one(0) : [];
    },
  },
  {
    kind: "gauge",
    name: `${PREFIX}unmatched_events`,
    help: "Events listed as unmatched, in the whole storage; counted as far.",
    read: stored(({ unmatched }) => unmatched),
  },
  {
    kind: "gauge",
    name: `${PREFIX}storage_bytes`,
    help: "What is in use in the storage: the database's pages in SQLite, an estimate of live rows in Postgres.",
    read: stored(({ bytes }) => bytes),
  },
  {
    kind: "gauge",
    name: `${PREFIX}storage_readable`,
    help: "1 when the storage answered for this scrape, else 0, and then the figures above are not there.",
    read: ({ figures }) => (figures === undefined ? [] : one(figures === "unreadable" ? 0 : 1)),
  },
  {
    kind: "histogram",
    name: `${PREFIX}event_loop_delay_seconds`,
    help: "How late a timer was, asked four times a second, since the first scrape: what holds up everything else.",
    read: ({ process }) => one(process.eventLoopDelay),
  },
  {
    kind: "counter",
    name: "process_cpu_seconds_total",
    help: "CPU time of the process, in user and system mode.",
    read: ({ process }) => one(process.cpuSeconds),
  },
  {
    kind: "gauge",
    name: "process_resident_memory_bytes",
    help: "Resident memory of the process.",
    read: ({ process }) => one(process.residentBytes),
  },
  {
    kind: "gauge",
    name: "process_start_time_seconds",
    help: "When the process was started, in seconds since the epoch.",
    read: ({ process }) => one(process.startedAt),
  },
  {
    kind: "gauge",
    name: "process_open_fds",
    help: "Open files and connections, where the system tells.",
    read: ({ process }) => one(process.openFiles),
  },
];
