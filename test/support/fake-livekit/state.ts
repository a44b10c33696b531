import type { Json } from "./proto-json";

/** What LiveKit keeps in Redis. Tests may look at it, plant things in it and change it at any time. */
export type FakeState = {
  /** By sip_trunk_id. */
  readonly trunks: Map<string, Json>;
  /** By sip_dispatch_rule_id. */
  readonly rules: Map<string, Json>;
  /** By name. */
  readonly rooms: Map<string, Json>;
  /** False: LiveKit runs without Redis, and so without SIP. */
  redis: boolean;
};

export const emptyState = (): FakeState => ({ trunks: new Map(), rules: new Map(), rooms: new Map(), redis: true });

/** What a method may use beside its request. */
export type MethodContext = {
  readonly state: FakeState;
  readonly newId: (prefix: string) => string;
  /** LiveKit checks first and writes later, without a lock: what happens in between is up to the test. */
  readonly beforeWrite: () => Promise<void>;
};

/** Redis lists by id, in the order of bytes. */
export const sorted = (messages: Map<string, Json>): Json[] =>
  [...messages].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, message]) => message);
