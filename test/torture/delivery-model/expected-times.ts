import type { StoredDelivery } from "../stored-deliveries";
import { ExpectedBreaker } from "./expected-breaker";
import { afterAttempt, dueAt, startedLate, type Wait } from "./expected-wait";
import { hookIdOf } from "./hook-keys";
import { promise } from "./promise";
import { verdictOf } from "./verdict";
import { CONCURRENCY, type Attempted, type Happened } from "./world";

/** The queue's times are whole milliseconds. */
const ROUNDING = 1;
/** A hook that has more to send than places pauses after an attempt, 0.4 ms for each that was under way. */
const CATCH_UP_MS = Math.ceil(0.4 * CONCURRENCY);

export type Sight = {
  /** Since the last look, in order. */
  readonly happened: readonly Happened[];
  readonly stored: readonly StoredDelivery[];
  /** Monotonic ms. */
  readonly now: number;
  /** True for the id of a hook that something may be sent to. */
  readonly isActive: (hook: string) => boolean;
};

type Rows = ReadonlyMap<number, StoredDelivery>;
type Ended = Extract<Happened, { kind: "ended" }>;

/**
 * When attempts go out: not before their time (the schedule's ±20 %, Retry-After, the breaker's waits), and not after it,
 * while their lane and their hook have room. Hooks and deliveries by the ids that the database has.
 */
export class ExpectedTimes {
  /** Attempts that open breakers let out. */
  probes = 0;
  readonly #waits = new Map<number, Wait>();
  readonly #breakers = new Map<string, ExpectedBreaker>();
  /** With the delivery of each, and whether it is a probe. */
  readonly #underWay = new Map<Attempted, { readonly delivery: number; readonly probe: boolean }>();
  /** Hooks that took something since the start, whose time of day is `startedAt`. */
  readonly #working = new Set<string>();
  #startedAt = 0;
  /** Time of day minus monotonic time: now, and the largest since the start, because the queue's time never goes back. */
  #offset = -Infinity;
  #ahead = -Infinity;
  /** The largest one that the queue has looked at for certain: what was set on and back in between it may not know of. */
  #noticed = -Infinity;
  #lastDelivery = 0;
  /** When something last happened to a hook: it may have had no room, or no lane, before. */
  readonly #changed = new Map<string, number>();
  /** When each hook was last released. */
  readonly #released = new Map<string, number>();
  /** Lanes that went on meanwhile without an attempt, because something in them expired or was cancelled. */
  #movedOn: ReadonlySet<string> = new Set();

  /** Compares what happened with what was to happen. */
  look({ happened, stored, now, isActive }: Sight): void {
    this.#add(stored, now);
    const rows = new Map(stored.map((row) => [row.id, row]));
    const latest = new Map(stored.map(({ id, hook, event }) => [`${hook} ${event}`, id]));
    const gone = [...this.#waits].filter(([id]) => isGone(rows.get(id)));
    this.#movedOn = new Set(gone.map(([, wait]) => laneOf(wait)));
    const killed = happened.some(({ kind }) => kind === "started");
    for (const each of happened) {
      if (each.kind === "sent") this.#sent(each.attempt, each.at, latest);
      else if (each.kind === "ended") this.#ended(each, rows, killed);
      else if (each.kind === "released") this.#startAnew(hookIdOf(each.hook), each.at);
      else if (each.kind === "clock set") this.#clockSet(each.offset, each.at);
      else this.#started(each.offset, each.at);
      if (each.kind === "sent" || each.kind === "ended") this.#noticed = Math.max(this.#noticed, this.#offset);
      const hook = "attempt" in each ? each.attempt.hook : "hook" in each ? each.hook : undefined;
      if (hook !== undefined) this.#changed.set(hookIdOf(hook), each.at);
    }
    this.#compareEnds(rows, now);
    this.#lookForOverdue(stored, now, isActive);
  }

  /** A new delivery is due at once. */
  #add(stored: readonly StoredDelivery[], now: number): void {
    for (const { id, hook, roomSid, receivedAt } of stored) {
      if (id <= this.#lastDelivery) continue;
      this.#lastDelivery = id;
      const none = { longest: 0, attempts: 0, failures: 0, refusals: 0, ended: undefined };
      this.#waits.set(id, { hook, roomSid, receivedAt, madeAt: now, from: now, to: now, ...none });
    }
  }

  #sent(attempt: Attempted, at: number, latest: ReadonlyMap<string, number>): void {
    const hook = hookIdOf(attempt.hook);
    const breaker = this.#breakerOf(hook);
    const delivery = latest.get(`${hook} ${attempt.id}`) ?? 0;
    this.#checkTime(attempt, at, breaker, this.#waits.get(delivery));
    breaker.sent(attempt.roomSid, at);
    this.#underWay.set(attempt, { delivery, probe: breaker.isOpen });
    if (breaker.isOpen) this.probes++;
  }

  #checkTime(attempt: Attempted, at: number, breaker: ExpectedBreaker, wait: Wait | undefined): void {
    const hook = hookIdOf(attempt.hook);
    const seen = { attempt, at, probeAt: breaker.probeAt, wait };
    if (breaker.isOpen) {
      promise("while its breaker is open a hook gets one probe at a time, none too early", at >= breaker.probeAt, seen);
    } else {
      promise("a retry waits as the schedule or its Retry-After says", at >= (wait?.from ?? 0) - ROUNDING, seen);
      const hasRoom = this.#busy(hook) < breaker.slotsAtMost;
      promise("a hook that recovers gets one more at a time with each success", hasRoom, seen);
    }
    if (wait === undefined || this.#movedOn.has(laneOf(wait))) return;
    const due = breaker.isOpen ? Math.max(breaker.probeAt, wait.madeAt) : wait.to;
    const could = Math.max(due, this.#changed.get(hook) ?? 0);
    promise("what is due goes out in the same moment", at <= could + CATCH_UP_MS + ROUNDING, { ...seen, could });
  }

  #ended({ attempt, at, retryAfter }: Ended, rows: Rows, killed: boolean): void {
    const hook = hookIdOf(attempt.hook);
    const { delivery = 0, probe = false } = this.#underWay.get(attempt) ?? {};
    this.#underWay.delete(attempt);
    const verdict = verdictOf(attempt.status ?? "failed");
    const breaker = this.#breakerOf(hook);
    const wasOpen = breaker.isOpen;
    // What closes it as a refused event waits its own time all the same.
    if (breaker.ended({ roomSid: attempt.roomSid, verdict, at }, retryAfter)) this.#release(hook, at);
    const wait = this.#waits.get(delivery);
    if (wait !== undefined) {
      const isWritten = (rows.get(delivery)?.tries.length ?? 0) > wait.attempts;
      promise("every attempt is written down", isWritten || killed, { attempt, wait });
      // A probe of a hook that was replaced meanwhile does not count either.
      const inOutage = probe || wasOpen || breaker.isOpen;
      const counting = inOutage ? "in_outage" : this.#failedBeforeStart(wait) ? "since_start" : "counts";
      // What was not on disk when the process ended has never been.
      const after = afterAttempt(wait, { verdict, at, retryAfter, counting });
      // What ends in the moment of the hook's release is written together with what the release is for.
      const released = this.#released.get(hook) === at;
      if (isWritten) this.#waits.set(delivery, released ? { ...after, from: Math.min(after.from, at) } : after);
    }
    if (verdict === "success") this.#working.add(hook);
  }

  /** Restarts during one outage must not use up the attempts that the breaker spared. */
  #failedBeforeStart({ failures, receivedAt, hook }: Wait): boolean {
    return failures > 0 && receivedAt < this.#startedAt && !this.#working.has(hook);
  }

  /** A hook was replaced or resumed: what its endpoint was before says nothing any more. */
  #startAnew(hook: string, at: number): void {
    this.#breakers.delete(hook);
    this.#release(hook, at);
  }

  #release(hook: string, at: number): void {
    this.#released.set(hook, at);
    for (const [id, wait] of this.#waits) if (wait.hook === hook) this.#waits.set(id, dueAt(wait, at));
  }

  /** Set on, the queue's time jumps, and what waits may go out early. */
  #clockSet(offset: number, at: number): void {
    this.#offset = offset;
    this.#ahead = Math.max(this.#ahead, offset);
    if (offset <= this.#noticed) return;
    for (const [id, wait] of this.#waits) this.#waits.set(id, { ...wait, from: Math.min(wait.from, at) });
  }

  #started(offset: number, at: number): void {
    const setBackBy = Math.max(this.#ahead - offset, 0);
    this.#offset = offset;
    this.#ahead = offset;
    this.#noticed = offset;
    this.#startedAt = offset + at;
    this.#underWay.clear();
    this.#breakers.clear();
    this.#working.clear();
    for (const { hook } of this.#waits.values()) this.#changed.set(hook, at);
    if (setBackBy === 0) return;
    for (const [id, wait] of this.#waits) this.#waits.set(id, startedLate(wait, setBackBy, at));
  }

  #compareEnds(rows: Rows, now: number): void {
    for (const [id, wait] of this.#waits) {
      const row = rows.get(id);
      if (isGone(row)) {
        this.#changed.set(wait.hook, now);
      } else {
        const asExpected = row?.state === (wait.ended ?? "pending");
        promise("it ends with its last attempt, or as a refused event, and not before", asExpected, { row, wait });
        if (wait.ended === undefined) continue;
      }
      this.#waits.delete(id);
    }
  }

  #lookForOverdue(stored: readonly StoredDelivery[], now: number, isActive: (hook: string) => boolean): void {
    const busyLanes = new Set([...this.#underWay.keys()].map(({ hook, roomSid }) => `${hookIdOf(hook)} ${roomSid}`));
    const lanes = Map.groupBy(
      stored.filter(({ state }) => state === "pending"),
      ({ hook, roomSid }) => `${hook} ${roomSid}`,
    );
    for (const [lane, [head]] of lanes) {
      const wait = this.#waits.get(head?.id ?? 0);
      if (wait === undefined || busyLanes.has(lane) || !isActive(wait.hook)) continue;
      const breaker = this.#breakerOf(wait.hook);
      const due = breaker.isOpen ? breaker.probeAt : wait.to;
      const room = Math.min(CONCURRENCY, breaker.isOpen ? Infinity : breaker.slots);
      const could = Math.max(due, this.#changed.get(wait.hook) ?? 0);
      const isLate = could < now - CATCH_UP_MS - ROUNDING && this.#busy(wait.hook) < room;
      promise("what is due goes out while its lane and its hook have room", !isLate, { head, wait, due, now });
    }
  }

  #breakerOf(hook: string): ExpectedBreaker {
    const known = this.#breakers.get(hook) ?? new ExpectedBreaker();
    this.#breakers.set(hook, known);
    return known;
  }

  #busy(hook: string): number {
    return [...this.#underWay.keys()].filter((attempt) => hookIdOf(attempt.hook) === hook).length;
  }
}

const laneOf = ({ hook, roomSid }: Pick<Wait, "hook" | "roomSid">): string => `${hook} ${roomSid}`;

/** It ended, but by no attempt. */
const isGone = (row: StoredDelivery | undefined): boolean => row?.state === "cancelled" || row?.state === "expired";
