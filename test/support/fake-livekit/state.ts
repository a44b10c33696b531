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
  /** How far LiveKit's clock is ahead of this machine's, in milliseconds. */
  clockAheadMs: number;
  /** Where `webhook.urls` of LiveKit's configuration lead to, and how. */
  webhooks: WebhookSettings;
};

export type WebhookSettings = {
  /** The addresses of services, without path. */
  readonly urls: readonly string[];
  /** Signs instead of the API's key. */
  readonly key?: { readonly apiKey: string; readonly apiSecret: string };
  readonly delayMs?: number;
};

export const emptyState = (): FakeState => ({
  trunks: new Map(),
  rules: new Map(),
  rooms: new Map(),
  redis: true,
  clockAheadMs: 0,
  webhooks: { urls: [] },
});

/** What a method may use beside its request. */
export type MethodContext = {
  readonly state: FakeState;
  readonly newId: (prefix: string) => string;
  /** LiveKit checks first and writes later, without a lock: what happens in between is up to the test. */
  readonly beforeWrite: () => Promise<void>;
  /** Sends `room_started` or `room_finished` to `state.webhooks`, without waiting for the answer. */
  readonly tell: (event: "room_started" | "room_finished", room: Json) => void;
  /** By LiveKit's clock. */
  readonly now: () => number;
};

/** Redis lists by id, in the order of bytes. */
export const sorted = (messages: Map<string, Json>): Json[] =>
  [...messages].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, message]) => message);
