/** How a hook's events are delivered. All times in milliseconds. */
export type DeliveryPolicy = {
  /** The wait after the first failed attempt, the second, …; after the last one the delivery is dead. */
  readonly schedule: readonly number[];
  /** What is older than this is not sent any more; counted from the event's arrival. */
  readonly maxAge: number;
  /** Covers an attempt from DNS to the answer's last byte. */
  readonly deadline: number;
  /** Attempts at a time. */
  readonly concurrency: number;
  /** Attempts per second; absent: as many as go. */
  readonly rate?: number;
  /** `call`: the events of one call one after the other. `none`: each one for itself. */
  readonly order: "call" | "none";
  /** LiveKit event names that are wanted; `*` stands for any characters: `participant_*`. */
  readonly events: readonly string[];
  /** A shorter maximum age for the events of a pattern; the first that fits counts. */
  readonly expiry: readonly EventExpiry[];
};

export type EventExpiry = { readonly events: string; readonly after: number };

/** What a hook has of its own; the rest is as it is for all. */
export type OwnPolicy = Partial<DeliveryPolicy>;

export function effectivePolicy(forAll: DeliveryPolicy, own: OwnPolicy | undefined): DeliveryPolicy {
  return { ...forAll, ...own };
}

/** True when the name fits the pattern; `*` stands for any characters, none included. */
export function fitsPattern(pattern: string, name: string): boolean {
  const parts = pattern.split("*");
  const [first = "", ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}

export function wantsEvent({ events }: Pick<DeliveryPolicy, "events">, name: string): boolean {
  return events.some((pattern) => fitsPattern(pattern, name));
}

/** The age at which an event of this name is not worth sending any more. */
export function maxAgeOf({ expiry, maxAge }: Pick<DeliveryPolicy, "expiry" | "maxAge">, name: string): number {
  const own = expiry.find(({ events }) => fitsPattern(events, name));
  return own === undefined ? maxAge : Math.min(own.after, maxAge);
}
