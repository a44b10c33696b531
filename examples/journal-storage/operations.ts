import type {
  ChangeAuthor,
  DeliveryPlan,
  EventToRoute,
  HookId,
  IncomingEvent,
  KnownHook,
  OwnerTask,
  PlanDelivery,
  ReplayOptions,
  ReplaySelection,
  RoomSid,
  Settlement,
} from "sayna-sip";
import { rememberHooks, replaceHooks, type PreparedChange } from "./hooks";
import { keepEvent } from "./keep";
import { cancel, limitWaits, makeDue, settle } from "./lanes";
import { replay, routeCallAgain } from "./replays";
import type { State } from "./state";
import { remove, type Removal } from "./upkeep";

/** Asks how a hook wants an event; in the journal its answers. */
export type Plans = PlanDelivery | Readonly<Record<string, DeliveryPlan>>;

const toPlan = (plans: Plans): PlanDelivery =>
  typeof plans === "function" ? plans : (hook, event) => plans[`${hook} ${event}`] ?? "ordered";

type Again = Omit<ReplayOptions, "plan">;

/** Everything that changes the state. Each gives the same again when it is given the same: the journal runs it again. */
export const operations = {
  keep: (state: State, events: readonly IncomingEvent[], plans: Plans, at: number) =>
    events.map((event) => keepEvent(state, event, toPlan(plans), at)),
  settle: (state: State, settlements: readonly Settlement[]) => {
    for (const settlement of settlements) settle(state, settlement);
  },
  makeDue: (state: State, hook: HookId, at: number) => makeDue(state, hook, at),
  limitWaits: (state: State, hook: HookId, now: number) => limitWaits(state, hook, now),
  markUnmatched: (state: State, events: readonly number[]) => {
    for (const seq of events) {
      const event = state.events.get(seq);
      if (event !== undefined) event.state = "unmatched";
    }
  },
  rememberHooks: (state: State, hooks: readonly KnownHook[]) => rememberHooks(state, hooks),
  replaceHooks: (state: State, author: ChangeAuthor, change: PreparedChange) => replaceHooks(state, author, change),
  pause: (state: State, hooks: readonly HookId[], reason: string, since: number) => {
    for (const hook of hooks) if (!state.paused.has(hook)) state.paused.set(hook, { hook, reason, since });
  },
  resume: (state: State, hooks: readonly HookId[]) => {
    for (const hook of hooks) state.paused.delete(hook);
  },
  ownerTaskDone: (state: State, { roomSid, authId }: Pick<OwnerTask, "roomSid" | "authId">) => {
    state.calls.get(roomSid)?.owners.set(authId, "done");
  },
  cancel: (state: State, ids: readonly number[], reason: string, at: number) =>
    cancel(
      ids.flatMap((id) => state.deliveries.get(id) ?? []),
      reason,
      at,
    ),
  replay: (state: State, selection: ReplaySelection, plans: Plans, again: Again) =>
    replay(state, selection, { ...again, plan: toPlan(plans) }),
  routeAgain: (state: State, sid: RoomSid, events: readonly EventToRoute[], plans: Plans, again: Again) =>
    routeCallAgain(state, sid, events, { ...again, plan: toPlan(plans) }),
  remove: (state: State, removal: Removal, now: number) => remove(state, removal, now),
};

export type Operations = typeof operations;
