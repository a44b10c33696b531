/** How long is kept what is done with. Ages in milliseconds. */
export type RetentionLimits = {
  /** Of an event whose deliveries have all arrived, or that no hook wanted: counted from the last arrival. */
  readonly delivered: number;
  /** Of an event of which a delivery is dead, expired or cancelled: counted from the last of them. */
  readonly dead: number;
  /** Of an event that found no hook: counted from its arrival. */
  readonly unmatched: number;
  /** Bytes that the storage may hold before what is done with is removed earlier: the arrived first, the dead last. */
  readonly maxSize: number;
};

export type SweepResult = {
  /** Events removed by this step. */
  readonly removed: number;
  /** False when nothing is left to do for now. */
  readonly more: boolean;
};

/** `over`: more than `maxSize`; `full`: the disk had no room lately. `stuck`: and nothing is left that may be removed. */
export type Room = "enough" | "over" | "full" | "stuck";

/**
 * What a storage does to stay small. Never removed: an event that has a pending delivery, at any age and size; an event's
 * id for an hour after its arrival, so that a repetition by LiveKit stays a duplicate; a call's memory for 24 h after its
 * last event (routing rule 8), whether its events are still there or not.
 */
export interface Upkeep {
  /**
   * One small step of tidying up: at most 100 events, so that an acknowledgement waits for it a few milliseconds at most.
   * To be called again until `more` is false.
   */
  sweep(limits: RetentionLimits, now: number): Promise<SweepResult>;

  /** Whether a sweep should not wait, or cannot help; cheap: it is asked each second. */
  room(limits: RetentionLimits): Promise<Room>;
}
