import type { Clock } from "../../src/contracts/clock";
import type { Current } from "../../src/contracts/current";
import type { History, StoredEvent, TimeSpan } from "../../src/contracts/history";
import type { OwnerTask, PlanDelivery } from "../../src/contracts/storage";
import type { HookTable } from "../../src/domain/hook-table";
import type { HookId, RoomSid } from "../../src/domain/ids";
import { isJsonObject } from "../../src/domain/json";
import { readLiveKitEvent } from "../../src/domain/livekit-event";
import { mayHaveHost, type Principal } from "../../src/domain/principal";
import { routeAgain, type EventToRoute } from "../../src/domain/route-again";
import type { Match } from "../../src/domain/routing";
import { matchParticipant, type MatchOptions } from "../webhook-forwarder/router/match-participant";

export type UnmatchedReplayOptions = {
  readonly history: History;
  readonly table: () => HookTable;
  readonly plan: PlanDelivery;
  readonly matching: Current<MatchOptions>;
  readonly clock: Clock;
};

export type UnmatchedSelection = TimeSpan & {
  readonly room?: string;
  /** Only calls that get this hook, whichever else they get. */
  readonly hook?: HookId;
};

export type UnmatchedReplayed = {
  readonly queued: number;
  readonly unwanted: number;
  readonly hooks: readonly HookId[];
  readonly ownerTasks: readonly OwnerTask[];
  readonly next: string | undefined;
};

/** Calls that one request looks at, in steps; the rest is for the next one. */
const CALLS_AT_A_TIME = 50;
const MAX_CALLS = 1_000;

/**
 * Routes calls that found no hook again, with the hooks of now.
 *
 * With `hook` only those calls are taken that this hook is among the hooks of. A conference with a caller of another hook
 * goes to that one as well: a call is routed as a whole, because what all of its hooks get (the room's events, the agents')
 * and in which order is decided once for all of them (routing rule 6), and a call that has a hook is unmatched no more.
 */
export function createUnmatchedReplay({ history, table, plan, matching, clock }: UnmatchedReplayOptions) {
  /** @throws AppError `invalid_cursor` */
  return async function replayUnmatched(
    { hook, ...selection }: UnmatchedSelection,
    caller: Principal,
    { dryRun, after }: { readonly dryRun: boolean; readonly after: string | undefined },
  ): Promise<UnmatchedReplayed> {
    const hooks = new Set<HookId>();
    const ownerTasks: OwnerTask[] = [];
    const seen = new Set<RoomSid>();
    let queued = 0;
    let unwanted = 0;
    let next = after;
    do {
      const page = await history.callsWithoutHook(selection, {
        limit: CALLS_AT_A_TIME,
        ...(next === undefined ? {} : { after: next }),
      });
      for (const sid of page.entries) {
        if (seen.has(sid)) continue;
        seen.add(sid);
        const events = await matchAgain(sid, caller, hook);
        const options = { plan, at: clock.now(), dryRun };
        const routed = events === undefined ? undefined : await history.routeAgain(sid, events, options);
        queued += routed?.queued ?? 0;
        unwanted += routed?.unwanted ?? 0;
        for (const one of routed?.hooks ?? []) hooks.add(one);
        ownerTasks.push(...(routed?.ownerTasks ?? []));
        await new Promise(setImmediate);
      }
      next = page.next;
    } while (next !== undefined && seen.size < MAX_CALLS);
    return { queued, unwanted, hooks: [...hooks], ownerTasks, next };
  };

  /** The call's events with what the matchers say now; undefined when the call is not to be routed for this caller. */
  async function matchAgain(
    sid: RoomSid,
    caller: Principal,
    hook: HookId | undefined,
  ): Promise<EventToRoute[] | undefined> {
    const stored = await history.eventsWithoutHook(sid);
    if (stored === undefined) return undefined;
    const events: EventToRoute[] = [];
    for (const one of stored) {
      const event = readStored(one);
      if (event === undefined) return undefined;
      const { subject } = event;
      const match = await matchParticipant(event, table(), matching());
      const speaks = subject.kind === "participant" && subject.sip === true && subject.attributes !== undefined;
      // Fails closed because a matcher that failed could have named another hook.
      if (speaks && match === undefined) return undefined;
      if (match !== undefined && !mayRoute(match, caller)) return undefined;
      events.push({ id: one.id, event, match });
    }
    // Not the matches themselves: only a participant's first counts.
    const found = routeAgain(sid, "", events).call.hooks;
    return (hook === undefined ? found.length > 0 : found.includes(hook)) ? events : undefined;
  }

  /**
   * A tenant routes calls only of which every called host is within its `hosts` and every hook its own. Fails closed because
   * the rest of the call's events go to the same hook.
   */
  function mayRoute(match: Match, caller: Principal): boolean {
    if (caller.role === "operator") return true;
    if (match.host === undefined || !mayHaveHost(caller, match.host)) return false;
    return match.kind === "none" || table().byId(match.hook)?.authId === caller.id;
  }
}

const utf8 = new TextDecoder();

function readStored({ body }: StoredEvent) {
  try {
    const json: unknown = JSON.parse(utf8.decode(body));
    return isJsonObject(json) ? readLiveKitEvent(json, body) : undefined;
  } catch {
    // Fails closed: what cannot be read was never kept by this program.
    return undefined;
  }
}
