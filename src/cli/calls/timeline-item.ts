/** Something that happened to a call, at a time (ms since the epoch). */
export type TimelineItem = {
  readonly at: number;
  /** The same whenever it is read, and no other's: what was shown is not shown again. */
  readonly key: string;
  /** LiveKit, this service, or the host of a tenant's hook. */
  readonly who: { readonly kind: "livekit" | "service" } | { readonly kind: "hook"; readonly host: string };
  readonly kind: "event" | "kept" | "queued" | "attempt" | "wait" | "gap" | "pending";
  readonly text: string;
  /** How it is: a wait is neither. */
  readonly mood: "good" | "bad" | "neutral";
};
