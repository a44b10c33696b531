/**
 * Ids of removed events are known for so long after the event's arrival. LiveKit repeats an event for 26 s at most; promised
 * is an hour, and the second one is for a clock that is set forward by an hour.
 */
export const KNOWN_ID_MS = 2 * 60 * 60 * 1000;

/** Ids that are forgotten in one step. */
export const IDS_AT_A_TIME = 500;
