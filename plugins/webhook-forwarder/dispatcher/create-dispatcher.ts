import type { Logger } from "../../../src/contracts/logger";
import { sleep } from "../../../src/contracts/clock";
import type { LaneId, PendingDelivery, Settlement, Storage } from "../../../src/contracts/storage";
import type { Hook } from "../../../src/domain/hook";
import type { HookId } from "../../../src/domain/ids";
import type { HookRegistry } from "../../hooks-store/hook-registry";
import { groupCalls } from "../group-calls";
import { attemptDelivery, type AttemptOptions } from "./attempt-delivery";

export type DispatcherOptions = AttemptOptions & {
  readonly storage: Storage;
  readonly registry: HookRegistry;
  readonly log: Logger;
  /** Attempts at a time to one hook, and to all of them. */
  readonly concurrency: { readonly perHook: number; readonly total: number };
};

export type Dispatcher = ReturnType<typeof createDispatcher>;

/** What is known of a hook that has something to send. */
type HookState = {
  /** Lanes with an attempt under way, or one that is being settled. */
  readonly busy: Set<LaneId>;
  cancelTimer: () => void;
};

/** A storage that cannot write is tried again this often. */
const SETTLE_RETRY_MS = 1_000;
const CLAIM_RETRY_MS = 1_000;

/**
 * Sends what is due: of each lane its head, of each hook at most `concurrency.perHook` at a time, hooks in turn. The queue
 * is in the storage; in memory is only what is being sent.
 */
export function createDispatcher(options: DispatcherOptions) {
  const { storage, registry, clock, log, concurrency, policy } = options;
  const settle = groupCalls(async (settlements: readonly Settlement[]) => {
    await storage.settle(settlements);
    return settlements;
  });
  const hooks = new Map<HookId, HookState>();
  /** Hooks that may have something due, in the order in which they get their turn. */
  const turns = new Set<HookId>();
  let running = false;
  let taking = false;
  let underWay = 0;
  let allSettled = () => {};

  async function start(): Promise<void> {
    running = true;
    wake(await storage.waitingHooks());
  }

  /** Tells that these hooks have something new to send, or may send again. */
  function wake(ids: readonly HookId[]): void {
    for (const id of ids) turns.add(id);
    if (running && !taking && turns.size > 0) {
      taking = true;
      // Later in this turn of the event loop, so that an acknowledgement goes out first.
      setImmediate(() => void takeTurns());
    }
  }

  async function takeTurns(): Promise<void> {
    for (const id of turns) {
      if (!running || underWay >= concurrency.total) break;
      turns.delete(id);
      const hook = registry.table.byId(id);
      if (hook !== undefined && !registry.isPaused(id)) await takeTurn(hook);
    }
    taking = false;
    // A slot that was freed, or a hook that was woken, while the last claim was under way.
    if (running && turns.size > 0 && underWay < concurrency.total) wake([]);
  }

  async function takeTurn(hook: Hook): Promise<void> {
    const state = stateOf(hook.id);
    const limit = Math.min(concurrency.perHook - state.busy.size, concurrency.total - underWay);
    if (limit <= 0) return;
    state.cancelTimer();
    try {
      const { deliveries, nextDue } = await storage.claim(hook.id, { now: clock.now(), limit, busy: state.busy });
      for (const delivery of deliveries) void deliver(delivery, hook, state);
      if (nextDue !== undefined) wakeAt(state, hook.id, nextDue);
      else if (state.busy.size === 0) hooks.delete(hook.id);
    } catch (error) {
      // Fails open because nothing was taken out of the queue; it is asked again.
      log.error({ err: error, hook: hook.id }, "The queue could not be read");
      wakeAt(state, hook.id, clock.now() + CLAIM_RETRY_MS);
    }
  }

  function stateOf(id: HookId): HookState {
    const known = hooks.get(id);
    if (known !== undefined) return known;
    const state: HookState = { busy: new Set(), cancelTimer: () => {} };
    hooks.set(id, state);
    return state;
  }

  function wakeAt(state: HookState, id: HookId, due: number): void {
    const wait = due - clock.now();
    // What is due already gets its turn when one of this hook's attempts ends.
    if (wait <= 0 && state.busy.size > 0) return;
    state.cancelTimer = clock.after(Math.max(wait, 0), () => wake([id]));
  }

  async function deliver(delivery: PendingDelivery, hook: Hook, state: HookState): Promise<void> {
    state.busy.add(delivery.lane);
    underWay++;
    try {
      const settlement = await settlementOf(delivery, hook);
      if (settlement !== undefined) await settleSurely(settlement);
    } catch (error) {
      // Fails open because the delivery is still pending in the storage, and the lane's next turn takes it again.
      log.error({ err: error, delivery: delivery.id, hook: hook.id }, "A delivery ended in an unexpected error");
      await sleep(clock, SETTLE_RETRY_MS);
    } finally {
      state.busy.delete(delivery.lane);
      underWay--;
      if (underWay === 0) allSettled();
      wake([hook.id]);
    }
  }

  /** Undefined when the attempt was cut off by our own stop: it does not count, and goes out again after the start. */
  async function settlementOf(delivery: PendingDelivery, hook: Hook): Promise<Settlement | undefined> {
    const now = clock.now();
    if (now - delivery.receivedAt > policy.maxAge) {
      log.warn(fieldsOf(delivery, hook), "A delivery expired");
      return { delivery, at: now, attempt: undefined, outcome: { kind: "expired" } };
    }
    const { settlement, verdict } = await attemptDelivery(delivery, hook, options);
    if (!running && verdict !== "success") return undefined;
    report(delivery, hook, settlement);
    if (verdict === "gone") await pause(hook);
    return settlement;
  }

  async function pause(hook: Hook): Promise<void> {
    log.warn({ hook: hook.id, host: hook.host }, "The hook answered 410 and is paused until it is replaced");
    await registry.pause(hook.id, "it answered 410").catch((error: unknown) => {
      // Fails closed for this run, in which the hook stays paused; after a restart it is asked once more.
      log.error({ err: error, hook: hook.id }, "That the hook is paused could not be saved");
    });
  }

  /** A result that cannot be written keeps its lane busy: sent again at once, it would reach the hook over and over. */
  async function settleSurely(settlement: Settlement): Promise<void> {
    for (;;) {
      try {
        await settle(settlement);
        return;
      } catch (error) {
        log.error({ err: error, delivery: settlement.delivery.id }, "The outcome of a delivery could not be saved");
        // Fails open at the stop because the delivery is repeated after the start, with the same webhook-id.
        if (!running) return;
        await sleep(clock, SETTLE_RETRY_MS);
      }
    }
  }

  function report(delivery: PendingDelivery, hook: Hook, { attempt, outcome }: Settlement): void {
    const fields = { ...fieldsOf(delivery, hook), status: attempt?.status, error: attempt?.error };
    const line = { ...fields, attempt: delivery.attempts + 1, ms: Math.round(attempt?.durationMs ?? 0) };
    if (outcome.kind === "delivered") log.info(line, "Delivered");
    else if (outcome.kind === "retry")
      log.warn({ ...line, next_try: new Date(outcome.dueAt).toISOString() }, "Not delivered yet");
    else
      log.error({ ...line, reason: outcome.kind === "dead" ? outcome.reason : undefined }, "Not delivered: given up");
  }

  return {
    start,
    wake,
    /** Sends nothing more; resolves when what is under way has been settled, or after `graceMs`. */
    async stop(graceMs: number): Promise<void> {
      running = false;
      for (const state of hooks.values()) state.cancelTimer();
      if (underWay === 0) return;
      await new Promise<void>((resolve) => {
        const cancel = clock.after(graceMs, resolve);
        allSettled = () => {
          cancel();
          resolve();
        };
      });
    },
    get underWay(): number {
      return underWay;
    },
  };
}

function fieldsOf(delivery: PendingDelivery, hook: Hook) {
  return {
    event: delivery.eventId,
    event_name: delivery.eventName,
    room_sid: delivery.roomSid,
    hook: hook.id,
    host: hook.host,
  };
}
