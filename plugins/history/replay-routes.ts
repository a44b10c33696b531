import { Elysia } from "elysia";
import type { Clock } from "../../src/contracts/clock";
import { UNSUCCESSFUL, type History } from "../../src/contracts/history";
import type { Logger } from "../../src/contracts/logger";
import type { OwnerTask, Storage } from "../../src/contracts/storage";
import { AppError } from "../../src/domain/errors";
import { roomSid, type HookId } from "../../src/domain/ids";
import type { Principal } from "../../src/domain/principal";
import type { AuthPlugin } from "../auth";
import type { HookRegistry } from "../hooks-store/hook-registry";
import { errorResponses } from "../http-errors";
import { findHook } from "./find-hook";
import { given, readSpan, viewerOf } from "./read-query";
import { CancelAnswer, CancelRequest, ReplayAnswer, ReplayRequest } from "./replay-schemas";
import type { createUnmatchedReplay } from "./replay-unmatched";

export type ReplayRoutesOptions = {
  readonly auth: AuthPlugin;
  readonly history: History & Pick<Storage, "waitingHooks">;
  readonly registry: HookRegistry;
  readonly replayUnmatched: ReturnType<typeof createUnmatchedReplay>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Hooks have something new to send. */
  readonly onDeliveries: (hooks: readonly HookId[]) => void;
  readonly onOwnerTask: (task: OwnerTask) => void;
};

/** Deliveries that one request queues, in steps of some milliseconds; the rest is for the next one. */
const MAX_REPLAYED = 10_000;

/** Sending again, and not sending. */
export function replayRoutes(options: ReplayRoutesOptions) {
  const { auth, history, registry, clock, log } = options;

  async function replay(request: ReplayRequest, caller: Principal): Promise<ReplayAnswer> {
    const dryRun = request.dry_run === true;
    const replaying =
      request.unmatched === undefined
        ? replayDeliveries(request, caller, dryRun)
        : replayUnmatched(request.unmatched, request, caller, dryRun);
    const result = await (dryRun ? replaying : replaying.catch(notAllQueued));
    const { queued, pending, unwanted, next, hooks } = result;
    if (!dryRun) {
      if (hooks.length > 0) options.onDeliveries(hooks);
      log.info({ who: caller.id, queued, pending, unwanted, hooks: hooks.length }, "Deliveries queued again");
    }
    return { queued, pending, unwanted, dry_run: dryRun, ...given("next", next) };
  }

  /** @throws AppError `deliveries_not_saved`, or what the request was refused with. */
  async function notAllQueued(thrown: unknown): Promise<never> {
    // Fails open because what could be queued before the failure is on disk: it goes out, and no second request will name it.
    if (!(thrown instanceof AppError)) options.onDeliveries(await history.waitingHooks().catch(() => []));
    return notSaved(thrown);
  }

  async function replayDeliveries(request: ReplayRequest, caller: Principal, dryRun: boolean) {
    const viewer = viewerOf(caller);
    const act = { plan: registry.planDelivery, at: clock.now(), dryRun };
    const { delivery, call, hook, since, until, states, cursor } = request;
    if (delivery !== undefined) {
      refuseBeside({ call, hook, since, until, states, cursor });
      if ((await history.delivery(delivery, viewer)) === undefined) throw new AppError("delivery_not_found");
      return history.replay({ kind: "delivery", id: delivery, viewer }, act);
    }
    if (call === undefined && hook === undefined && since === undefined && until === undefined) {
      throw new AppError("invalid_request", {
        message: "name what is to be sent again: delivery, call, hook, since, until or unmatched",
      });
    }
    if (call !== undefined && (await history.call(roomSid(call), viewer)) === undefined) {
      throw new AppError("call_not_found");
    }
    const found = hook === undefined ? undefined : findHook(hook, registry.table, caller);
    const filter = {
      viewer,
      ...readSpan(request),
      ...(call === undefined ? {} : { roomSid: roomSid(call) }),
      ...given("host", found?.host),
      // Of the hook of now: what an earlier tenant of the same host had is not sent to it.
      ...given("authId", found?.authId),
      states: states ?? UNSUCCESSFUL,
    };
    return history.replay({ kind: "filter", filter, limit: MAX_REPLAYED, ...given("after", cursor) }, act);
  }

  async function replayUnmatched(
    selection: NonNullable<ReplayRequest["unmatched"]>,
    { delivery, call, hook, since, until, states, cursor }: ReplayRequest,
    caller: Principal,
    dryRun: boolean,
  ) {
    refuseBeside({ delivery, call, hook, since, until, states });
    const { room, host } = selection;
    const found = host === undefined ? undefined : findHook(host, registry.table, caller);
    const wanted = { ...readSpan(selection), ...given("room", room), ...given("hook", found?.id) };
    const result = await options.replayUnmatched(wanted, caller, { dryRun, after: cursor });
    for (const task of result.ownerTasks) options.onOwnerTask(task);
    return { ...result, pending: 0 };
  }

  async function cancel({ ids, hook, call }: CancelRequest, caller: Principal): Promise<number> {
    const viewer = viewerOf(caller);
    const at = clock.now();
    const reason = `cancelled by ${caller.role === "operator" ? "an operator" : "its tenant"}`;
    if ([ids, hook, call].filter((value) => value !== undefined).length !== 1) {
      throw new AppError("invalid_request", { message: "name one of ids, hook and call" });
    }
    if (hook !== undefined) {
      const { id } = findHook(hook, registry.table, caller);
      return history.cancelPending({ kind: "hook", hook: id }, reason, at);
    }
    if (call !== undefined) {
      const sid = roomSid(call);
      if ((await history.call(sid, viewer)) === undefined) throw new AppError("call_not_found");
      return history.cancelPending({ kind: "call", roomSid: sid, viewer }, reason, at);
    }
    const hooks = new Set<HookId>();
    for (const id of ids ?? []) {
      const delivery = await history.delivery(id, viewer);
      if (delivery === undefined) throw new AppError("delivery_not_found");
      hooks.add(delivery.hook.id);
    }
    const cancelled = await history.cancelPending({ kind: "deliveries", ids: ids ?? [], viewer }, reason, at);
    // What waited behind them is due now, long before the retry that its hook's timer is set for.
    if (cancelled > 0) options.onDeliveries([...hooks]);
    return cancelled;
  }

  return new Elysia({ name: "sayna-sip/replay", tags: ["history"] })
    .use(auth)
    .post("/sip/replay", ({ body, caller }) => replay(body, caller), {
      caller: true,
      body: ReplayRequest,
      response: {
        200: ReplayAnswer,
        ...errorResponses([
          "invalid_request",
          "invalid_cursor",
          "invalid_host",
          "unauthorized",
          "forbidden",
          "delivery_not_found",
          "call_not_found",
          "hook_not_found",
          "payload_too_large",
          "deliveries_not_saved",
        ]),
      },
      detail: {
        summary: "Send again",
        description:
          "One delivery, one call, one hook, a time span (they combine), or the calls that found no hook. Each goes to the end " +
          "of its call's queue, in the order in which the events were kept, with the same `webhook-id`, and is marked as a " +
          "replay. What is pending, or has arrived since, is left alone. 10,000 deliveries at a time: while `next` is in the " +
          "answer, send the same request with it as `cursor`. A tenant's own only; of `unmatched` only calls of which every " +
          "called host is within its `hosts` and every hook its own. With `unmatched.host` only calls that get this hook; a " +
          "conference that another hook has a caller in goes, as a whole, to both.",
      },
    })
    .post(
      "/sip/deliveries/cancel",
      async ({ body, caller }) => {
        const cancelled = await cancel(body, caller).catch(notSaved);
        log.info({ who: caller.id, cancelled }, "Deliveries cancelled");
        return { cancelled };
      },
      {
        caller: true,
        body: CancelRequest,
        response: {
          200: CancelAnswer,
          ...errorResponses([
            "invalid_request",
            "invalid_host",
            "unauthorized",
            "forbidden",
            "delivery_not_found",
            "call_not_found",
            "hook_not_found",
            "payload_too_large",
            "deliveries_not_saved",
          ]),
        },
        detail: {
          summary: "Cancel what is pending",
          description:
            "Deliveries by their ids, or all of a hook or a call. What is under way may still arrive. What is cancelled can be " +
            "replayed. A tenant: its own.",
        },
      },
    );
}

type CancelRequest = { readonly ids?: readonly number[]; readonly hook?: string; readonly call?: string };

/** @throws AppError `deliveries_not_saved`, or what the request was refused with. */
function notSaved(error: unknown): never {
  if (error instanceof AppError) throw error;
  // Fails closed because a part of what was asked for may not be on disk.
  throw new AppError("deliveries_not_saved", { cause: error });
}

/** @throws AppError `invalid_request` */
function refuseBeside(members: Readonly<Record<string, unknown>>): void {
  const [name] = Object.entries(members).find(([, value]) => value !== undefined) ?? [];
  if (name !== undefined) throw new AppError("invalid_request", { message: `${name} has no place in this selection` });
}
