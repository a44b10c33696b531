import type { Database } from "bun:sqlite";
import type { RetentionLimits, Room, SweepResult } from "../../../src/contracts/upkeep";
import type { RoomSid } from "../../../src/domain/ids";
import type { Ballast, RoomUse } from "./ballast";
import type { Found } from "../sql/event-fate";
import { FinishedEvents } from "./finished-events";
import { Pages } from "./pages";
import { Removal } from "./removal";

export type RetentionOptions = {
  readonly db: Database;
  readonly ballast: Ballast;
  /** These calls are in the database no more. */
  readonly onCallsRemoved: (calls: readonly RoomSid[]) => void;
  /** Runs each write. */
  readonly write: <Result>(run: () => Result) => Result;
};

/** Made free inside the file while the disk is full, so that events find room without the file's growing. */
const ROOM_ON_FULL_DISK = 16 * 1024 * 1024;
const CALLS_AT_A_TIME = 200;

/** What one step did. `again`: the same step has more to do. */
type Step = { readonly removed: number; readonly again: boolean };
const NOTHING: Step = { removed: 0, again: false };

/**
 * Removes what is done with, in steps of at most 100 events. Room comes first: delivered events, then unmatched, then dead
 * ones, until there is enough; then what has reached its age; then calls and ids that nothing needs any more; then pages are
 * given back, and the ballast is made again.
 */
export class Retention {
  readonly #ballast: Ballast;
  readonly #onCallsRemoved: (calls: readonly RoomSid[]) => void;
  readonly #write: RetentionOptions["write"];
  readonly #pages: Pages;
  readonly #finished: FinishedEvents;
  readonly #removal: Removal;
  /** The step of the sweep that is under way, and how far it has come. */
  #step = 0;
  #after = 0;
  /** The disk was full, and it is not known yet to have room again. */
  #full = false;
  #stuck = false;

  constructor({ db, ballast, onCallsRemoved, write }: RetentionOptions) {
    this.#ballast = ballast;
    this.#onCallsRemoved = onCallsRemoved;
    this.#write = write;
    this.#pages = new Pages(db);
    this.#finished = new FinishedEvents(db);
    this.#removal = new Removal(db);
  }

  /** To be told of each write that failed because the disk is full; true when trying again may help. */
  diskWasFull(use: RoomUse): boolean {
    this.#full = true;
    return this.#ballast.release(use);
  }

  room(limits: RetentionLimits): Room {
    if (!this.#needsRoom(limits)) {
      this.#stuck = false;
      return "enough";
    }
    if (this.#stuck) return "stuck";
    return this.#full ? "full" : "over";
  }

  async sweep(limits: RetentionLimits, now: number): Promise<SweepResult> {
    while (this.#step < this.#steps.length) {
      const step = this.#steps[this.#step];
      const { removed, again } = (await step?.(limits, now)) ?? NOTHING;
      if (!again) {
        this.#step++;
        this.#after = 0;
      }
      if (removed > 0 || again) return { removed, more: true };
    }
    this.#step = 0;
    return { removed: 0, more: false };
  }

  readonly #steps: readonly ((limits: RetentionLimits, now: number) => Step | Promise<Step>)[] = [
    (limits, now) => this.#makeRoom(limits, now, () => this.#finished.delivered(this.#after)),
    (limits, now) => this.#makeRoom(limits, now, () => this.#finished.unmatched()),
    (limits, now) => this.#makeRoom(limits, now, () => this.#finished.dead(this.#after)),
    (limits) => {
      this.#stuck = this.#needsRoom(limits);
      return NOTHING;
    },
    (limits, now) => this.#remove(this.#finished.aged(this.#after, limits, now), now),
    (_, now) => this.#forgetCalls(now),
    (_, now) => ({ removed: 0, again: this.#write(() => this.#removal.forgetIds(now)) }),
    // On a full disk somebody else would take the pages at once.
    () => ({ removed: 0, again: !this.#full && this.#write(() => this.#pages.shrink()) }),
    () => this.#refillBallast(),
  ];

  #needsRoom({ maxSize }: RetentionLimits): boolean {
    return this.#pages.usedBytes() > maxSize || (this.#full && this.#pages.freeBytes() < ROOM_ON_FULL_DISK);
  }

  #makeRoom(limits: RetentionLimits, now: number, find: () => Found): Step {
    return this.#needsRoom(limits) ? this.#remove(find(), now) : NOTHING;
  }

  #remove({ events, after }: Found, now: number): Step {
    if (events.length > 0) this.#write(() => this.#removal.removeEvents(events, now));
    this.#after = after ?? 0;
    return { removed: events.length, again: after !== undefined };
  }

  #forgetCalls(now: number): Step {
    const { calls, after } = this.#removal.oldCalls(this.#after, CALLS_AT_A_TIME, now);
    if (calls.length > 0) {
      this.#write(() => this.#removal.removeCalls(calls));
      this.#onCallsRemoved(calls.map(({ roomSid }) => roomSid));
    }
    this.#after = after ?? 0;
    return { removed: 0, again: after !== undefined };
  }

  async #refillBallast(): Promise<Step> {
    if (await this.#ballast.make()) this.#full = false;
    return NOTHING;
  }
}
