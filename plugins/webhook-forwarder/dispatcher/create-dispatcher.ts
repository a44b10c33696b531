import { sleep } from "../../../src/contracts/clock";
import type { Claim, Storage } from "../../../src/contracts/storage";
import { abandonProbe, newBreaker, outageOf, type Outage } from "../../../src/domain/breaker";
import type { Hook } from "../../../src/domain/hook";
import type { HookId } from "../../../src/domain/ids";
import { decideTurn, type Turn } from "./decide-turn";
import { isForgettable, isSlow, newHookState, type HookState } from "./hook-state";
import { QueueTime } from "./queue-time";
import { createRunner, type Run, type RunnerOptions } from "./run-delivery";
import { createSettler } from "./settle-surely";
import { TenantLoad } from "./tenant-load";

export type DispatcherOptions = Omit<RunnerOptions, "time" | "goesOn"> & {
  readonly storage: Storage;
  /** Attempts at a time to all hooks together; how many a hook may have is in its policy. */
  readonly concurrency: { readonly total: number };
};

export type Dispatcher = ReturnType<typeof createDispatcher>;

/** What could not be read, written or made due is tried again after this. */
const STORAGE_RETRY_MS = 1_000;
/** No timer is longer, so that nothing depends on a due time that the clock's being set has made wrong. */
const LONGEST_TIMER_MS = 30_000;
/** A hook that waits for others gets another look after this, as fast ones may have turned out to be slow. */
const BLOCKED_LOOK_MS = 1_000;
/** A hook with nothing to send is looked at again after this, to be forgotten. */
const FORGET_MS = 60_000;

/**
 * A hook with more to send than places is asked for several at a time, so long after one of them has ended: for each that was
 * under way what an attempt takes of the thread, at most 4 ms. Asked at each end, a hook that answers at once takes the whole thread,
 * and others wait: their delivery p99 beside 100,000 overdue deliveries is 1.8 of what it was instead of 3.3 (`bun run bench fairness`).
 */
const PAUSE_MS = { perAttempt: 0.4, longest: 4 };

/** With thousands of hooks in a row, others get the event loop in between. */
const HOOKS_AT_A_TIME = 64;

async function breathe(i: number): Promise<void> {
  if (i % HOOKS_AT_A_TIME === HOOKS_AT_A_TIME - 1) await new Promise(setImmediate);
}

/**
 * Sends what is due: of each lane its head, of each hook as much as its policy, its breaker and the other hooks leave it,
 * hooks in turn. The queue is in the storage; in memory is only what is being sent.
 */
export function createDispatcher(options: DispatcherOptions) {
  const { storage, registry, clock, log, concurrency } = options;
  const time = new QueueTime(clock);
  const goesOn = () => running;
  const settleSurely = createSettler({ storage, clock, log, goesOn });
  const runDelivery = createRunner({ ...options, time, goesOn });
  const hooks = new Map<HookId, HookState>();
  /** Hooks that may have something due, in the order in which they get their turn. */
  const turns = new Set<HookId>();
  let running = false;
  let taking = false;
  let wokenMeanwhile = false;
  let cancelLook = () => {};
  let underWay = 0;
  const tenants = new TenantLoad();
  let allSettled = () => {};

  registry.onChange((ids) => void startAnew(ids));

  async function start(): Promise<void> {
    running = true;
    const waiting = await storage.waitingHooks();
    for (const [i, id] of waiting.entries()) {
      await storage.limitWaits(id, time.now());
      await breathe(i);
    }
    wake(waiting);
  }

  /** Tells that these hooks have something new to send, or may send again. */
  function wake(ids: readonly HookId[]): void {
    for (const id of ids) turns.add(id);
    if (!running || turns.size === 0) return;
    if (taking) {
      wokenMeanwhile = true;
      return;
    }
    taking = true;
    // Later in this turn of the event loop, so that an acknowledgement goes out first.
    setImmediate(() => void takeTurns());
  }

  async function takeTurns(): Promise<void> {
    cancelLook();
    let slow = slowUnderWay();
    // Who is woken meanwhile has its turn in the next round.
    const round = [...turns];
    for (const [i, id] of round.entries()) {
      if (!running) break;
      slow += await takeTurn(id, slow);
      await breathe(i);
    }
    taking = false;
    if (wokenMeanwhile) {
      wokenMeanwhile = false;
      wake([]);
    } else if (running && turns.size > 0) {
      cancelLook = clock.after(BLOCKED_LOOK_MS, () => wake([]));
    }
  }

  function slowUnderWay(): number {
    const now = clock.monotonic();
    let slow = 0;
    for (const state of hooks.values()) if (state.busy.size > 0 && isSlow(state, now)) slow += state.busy.size;
    return slow;
  }

  /** Returns how many attempts to a slow hook it started. A hook that others hold up keeps its place. */
  async function takeTurn(id: HookId, slow: number): Promise<number> {
    const hook = activeHook(id);
    if (hook === undefined) {
      turns.delete(id);
      if (hooks.get(id)?.busy.size === 0) forget(id);
      return 0;
    }
    const state = stateOf(id);
    const policy = registry.policyOf(hook);
    const load = { total: concurrency.total, underWay, slow, tenant: tenants.of(hook) };
    const turn = decideTurn(state, policy, load, clock.monotonic());
    if (turn.kind === "blocked") return 0;
    turns.delete(id);
    state.cancelTimer();
    if (turn.kind === "wait") {
      if (turn.ms !== undefined) wakeIn(state, id, turn.ms);
      return 0;
    }
    const wasSlow = isSlow(state, clock.monotonic());
    const started = await takeFromQueue(hook, state, turn);
    return wasSlow ? started : 0;
  }

  /** Undefined when nothing may be sent to it: it is gone, or paused. */
  function activeHook(id: HookId): Hook | undefined {
    return registry.isPaused(id) ? undefined : registry.table.byId(id);
  }

  async function takeFromQueue(hook: Hook, state: HookState, turn: Extract<Turn, { kind: "take" }>): Promise<number> {
    const { breaker } = state;
    try {
      const { deliveries, nextDue } = await claim(hook.id, state, turn);
      state.behind = nextDue !== undefined && nextDue <= time.now();
      // An attempt ended meanwhile, or the hook was changed: what was decided before does not hold any more.
      const present = activeHook(hook.id);
      if (state.breaker.kind !== breaker.kind || present === undefined || !running) {
        wake([hook.id]);
        return 0;
      }
      // As it is now: its url of before, with the global secret of now, would belong together at no time.
      const about = { hook: present, state, policy: registry.policyOf(present), probe: turn.probe };
      for (const delivery of deliveries) void deliver({ delivery, ...about });
      if (nextDue !== undefined) wakeIn(state, hook.id, Math.max(nextDue - time.now(), 0));
      else if (state.busy.size === 0) forgetSoon(hook.id, state);
      return deliveries.length;
    } catch (error) {
      // Fails open because nothing was taken out of the queue; it is asked again.
      log.error({ err: error, hook: hook.id }, "The queue could not be read");
      wakeIn(state, hook.id, STORAGE_RETRY_MS);
      return 0;
    }
  }

  async function claim(
    id: HookId,
    { busy }: HookState,
    { limit, probe, avoid }: Turn & { kind: "take" },
  ): Promise<Claim> {
    // A copy, because a lane whose delivery is settled while the queue is read may be read with its old head.
    if (!probe) return storage.claim(id, { now: time.now(), limit, busy: new Set(busy) });
    const other = await storage.claim(id, { now: Infinity, limit: 1, busy: new Set([...busy, ...avoid]) });
    if (other.deliveries.length > 0 || avoid.length === 0) return { ...other, nextDue: undefined };
    const any = await storage.claim(id, { now: Infinity, limit: 1, busy: new Set(busy) });
    return { ...any, nextDue: undefined };
  }

  function stateOf(id: HookId): HookState {
    const known = hooks.get(id);
    if (known !== undefined) return known;
    const state = newHookState();
    hooks.set(id, state);
    return state;
  }

  function wakeIn(state: HookState, id: HookId, ms: number): void {
    state.cancelTimer();
    if (ms > 0) state.cancelTimer = clock.after(Math.min(ms, LONGEST_TIMER_MS), () => wake([id]));
    else wake([id]);
  }

  function forgetSoon(id: HookId, state: HookState): void {
    if (isForgettable(state, clock.monotonic())) forget(id);
    else if (state.breaker.kind === "closed") state.cancelTimer = clock.after(FORGET_MS, () => wake([id]));
  }

  function forget(id: HookId): void {
    hooks.get(id)?.cancelTimer();
    hooks.delete(id);
  }

  /** These hooks were replaced or resumed: what their endpoints were before says nothing any more. */
  async function startAnew(ids: readonly HookId[]): Promise<void> {
    for (const id of ids) {
      const state = hooks.get(id);
      if (state === undefined) continue;
      state.breaker = newBreaker;
      state.bucket = undefined;
      state.failedAt = undefined;
    }
    for (const [i, id] of ids.entries()) {
      if (activeHook(id) !== undefined) await release(id);
      await breathe(i);
    }
  }

  /** Makes everything of a hook due that waits for its retry. */
  async function release(id: HookId): Promise<void> {
    if (!running) return;
    try {
      await storage.makeDue(id, time.now());
    } catch (error) {
      // Fails open because what waits becomes due by itself, only later.
      log.error({ err: error, hook: id }, "What waits for a hook could not be made due");
      clock.after(STORAGE_RETRY_MS, () => void release(id));
    }
    wake([id]);
  }

  async function deliver({ delivery, hook, state, ...rest }: Run): Promise<void> {
    state.busy.add(delivery.lane);
    underWay++;
    const endOfAttempt = tenants.begin(hook);
    try {
      const ended = await runDelivery({ delivery, hook, state, ...rest });
      if (ended !== undefined) {
        await settleSurely(ended.settlement);
        // Now, so that it finds what other attempts that ended before it have left to wait as well.
        if (ended.worksAgain) void release(hook.id);
      }
    } catch (error) {
      // Fails open because the delivery is still pending in the storage, and the lane's next turn takes it again.
      log.error({ err: error, delivery: delivery.id, hook: hook.id }, "A delivery ended in an unexpected error");
      await sleep(clock, STORAGE_RETRY_MS);
    } finally {
      state.sending.delete(delivery.lane);
      if (state.breaker.kind === "open" && state.breaker.probing === delivery.lane) {
        state.breaker = abandonProbe(state.breaker);
      }
      state.busy.delete(delivery.lane);
      underWay--;
      endOfAttempt();
      if (underWay === 0) allSettled();
      askAgain(hook.id, state);
    }
  }

  /** An attempt has ended, and left its place. */
  function askAgain(id: HookId, state: HookState): void {
    if (!state.behind) return wake([id]);
    if (state.isPausing) return;
    state.isPausing = true;
    clock.after(Math.min(Math.ceil((state.busy.size + 1) * PAUSE_MS.perAttempt), PAUSE_MS.longest), () => {
      state.isPausing = false;
      wake([id]);
    });
  }

  /** Undefined while the hook's endpoint is taken to work. */
  function breakerOf(id: HookId): Outage | undefined {
    const breaker = hooks.get(id)?.breaker;
    return breaker?.kind === "open" ? outageOf(breaker, clock.now() - clock.monotonic()) : undefined;
  }

  return {
    start,
    wake,
    breakerOf,
    /** Sends nothing more; resolves when what is under way has been settled, or after `graceMs`. */
    async stop(graceMs: number): Promise<void> {
      running = false;
      cancelLook();
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
    get openBreakers(): number {
      let open = 0;
      for (const { breaker } of hooks.values()) if (breaker.kind === "open") open++;
      return open;
    },
    /** Hooks that something is known of: bounded by those with something to send, or a breaker that is not quiet. */
    get knownHooks(): number {
      return hooks.size;
    },
  };
}
