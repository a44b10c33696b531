import { describeParticipant, routeAgain } from "sayna-sip";
import type {
  Decider,
  EventToRoute,
  HookId,
  OwnerTask,
  ReplayOptions,
  ReplayResult,
  ReplaySelection,
  RoomSid,
  RoutedAgain,
} from "sayna-sip";
import { addOwner, remember } from "./keep";
import { queue } from "./lanes";
import { pageOf } from "./pages";
import { eventsOf, type Delivery, type State } from "./state";
import { fitsDelivery, latestOf, maySee } from "./views";

/** `History.replay`: of each event and hook the latest delivery counts. */
export function replay(state: State, selection: ReplaySelection, options: ReplayOptions): ReplayResult {
  const { entries, next, states } = select(state, selection);
  const latest = new Set(entries.flatMap((delivery) => latestOf(delivery) ?? []));
  const pending = [...latest].filter((delivery) => delivery.state === "pending").length;
  const again = [...latest]
    .filter((delivery) => delivery.state !== "pending" && (states?.includes(delivery.state) ?? true))
    .toSorted((a, b) => a.event.seq - b.event.seq);
  const hooks = new Set<HookId>();
  let queued = 0;
  for (const { event, call, hook } of again) {
    const plan = options.plan(hook, event.incoming.event.name);
    if (plan === "gone" || plan === "unwanted") continue;
    if (!options.dryRun) queue(state, { event, call, hook, plan, at: options.at, replay: true });
    queued++;
    hooks.add(hook);
  }
  return { queued, pending, unwanted: again.length - queued, hooks: [...hooks], next };
}

function select(state: State, selection: ReplaySelection) {
  if (selection.kind === "filter") {
    const { filter, limit, after } = selection;
    const found = [...state.deliveries.values()].filter((delivery) => fitsDelivery(state, delivery, filter));
    const request = { limit, ...(after === undefined ? {} : { after }) };
    const position = ({ madeAt, id }: Delivery) => [madeAt, id] as const;
    return { ...pageOf(found, position, "ascending", request), states: filter.states };
  }
  const one = state.deliveries.get(selection.id);
  const entries = one !== undefined && maySee(state, selection.viewer, one.hook) ? [one] : [];
  return { entries, next: undefined, states: undefined };
}

/** `History.routeAgain`: `routeAgain` is the rule, as `routeEvent` is for single events. */
export function routeCallAgain(
  state: State,
  sid: RoomSid,
  events: readonly EventToRoute[],
  { plan, at, dryRun }: ReplayOptions,
): RoutedAgain | undefined {
  const call = state.calls.get(sid);
  if (call === undefined || call.memory.hooks.length > 0) return undefined;
  const kept = eventsOf(state, call);
  const same = kept.length === events.length && kept.every(({ incoming }, i) => incoming.event.id === events[i]?.id);
  const routed = routeAgain(sid, call.memory.roomName, events);
  if (!same || routed.call.hooks.length === 0) return undefined;

  const hooks = new Set<HookId>();
  let queued = 0;
  for (const { event: index, hook } of routed.deliveries) {
    const event = kept[index];
    if (event === undefined) continue;
    const wanted = plan(hook, event.incoming.event.name);
    if (!dryRun) event.state = "routed";
    if (wanted === "gone" || wanted === "unwanted") continue;
    if (!dryRun) queue(state, { event, call, hook, plan: wanted, at, replay: true });
    queued++;
    hooks.add(hook);
  }
  const result = { queued, unwanted: routed.deliveries.length - queued, hooks: [...hooks] };
  if (dryRun) return { ...result, ownerTasks: [] };

  const deciders = new Map(
    [...routed.deciders].flatMap(([who, i]) => (events[i] === undefined ? [] : [[who, events[i]]])),
  );
  remember(call, routed.call, at, (who) => describeParticipant(deciders.get(who) ?? NOBODY));
  const tasks: OwnerTask[] = [];
  for (const { match } of deciders.values()) {
    const task = match?.kind === "hook" ? addOwner(call, match.owner) : undefined;
    if (task !== undefined && call.finishedAt === undefined) tasks.push(task);
  }
  return { ...result, ownerTasks: tasks };
}

const NOBODY: Decider = { event: { subject: { kind: "room" } }, match: undefined };
