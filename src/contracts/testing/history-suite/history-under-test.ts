import { beforeEach } from "bun:test";
import type { HookId } from "../../../domain/ids";
import {
  UNSUCCESSFUL,
  type DeliveryFilter,
  type DeliveryState,
  type DeliveryView,
  type ReplayResult,
} from "../../history";
import type { CommitResult, IncomingEvent, Outcome } from "../../storage";
import { openedStorage, type OpenedStorage, type StorageUnderTest } from "../opened-storage";
import { allPages } from "./all-pages";
import { A, B, event, HOOKS, HOUR, nobody, NOW, sip, to } from "../sample-events";

export type HistoryUnderTest = OpenedStorage & {
  readonly keep: (...events: IncomingEvent[]) => Promise<readonly CommitResult[]>;
  /** Ends what is due for the hook, one after the other; the names of the events that were sent. */
  readonly end: (hook: HookId, outcome?: Outcome, now?: number) => Promise<string[]>;
  readonly list: (filter?: Partial<DeliveryFilter>) => Promise<DeliveryView[]>;
  readonly replay: (
    filter?: Partial<DeliveryFilter> & { readonly states?: readonly DeliveryState[] },
    dryRun?: boolean,
  ) => Promise<ReplayResult>;
  /** A call of tenant A: room_started, its caller's join, room_finished. */
  readonly callOfA: (sid?: string, at?: number) => Promise<void>;
  /** One room with a caller of A, one of B, an agent, and a leg that no hook matches. */
  readonly sharedRoom: () => Promise<void>;
};

/** Opens a storage for each of the tests of the `describe` that this is called in. */
export function historyUnderTest(create: () => Promise<StorageUnderTest>): HistoryUnderTest {
  const opened = openedStorage(create);

  beforeEach(() => opened.storage.rememberHooks(HOOKS));

  const keep = (...events: IncomingEvent[]) => opened.storage.commit(events, () => "ordered");

  return {
    get storage() {
      return opened.storage;
    },

    reopen: opened.reopen,

    keep,

    async end(hook, outcome = { kind: "delivered" }, now = NOW + HOUR) {
      const names: string[] = [];
      for (;;) {
        const { deliveries } = await opened.storage.claim(hook, { now, limit: 10, busy: new Set() });
        if (deliveries.length === 0) return names;
        names.push(...deliveries.map(({ eventName }) => eventName));
        const attempt = {
          startedAt: now,
          durationMs: 12,
          status: 503,
          error: undefined,
          answerStart: new TextEncoder().encode("down"),
        };
        await opened.storage.settle(deliveries.map((delivery) => ({ delivery, at: now, attempt, outcome })));
      }
    },

    list: (filter = {}) =>
      allPages((after) => opened.storage.deliveries({ viewer: "operator", ...filter }, { limit: 100, ...after })),

    replay: (filter = {}, dryRun = false) =>
      opened.storage.replay(
        { kind: "filter", filter: { viewer: "operator", states: UNSUCCESSFUL, ...filter }, limit: 10_000 },
        { plan: () => "ordered", at: NOW + 2 * HOUR, dryRun },
      ),

    async callOfA(sid = "RM_1", at = NOW) {
      const room = { sid, name: `sip-${sid}` };
      await keep(
        event("room_started", { room }, undefined, at),
        event(
          "participant_joined",
          { room, participant: sip(`PA_${sid}`, "+1555", "call-1") },
          to(A, "a.example.com"),
          at,
        ),
        event("room_finished", { room }, undefined, at),
      );
    },

    async sharedRoom() {
      await keep(
        event("room_started"),
        event("participant_joined", { participant: sip("PA_a", "+1111", "call-a") }, to(A, "a.example.com")),
        event("participant_joined", { participant: sip("PA_b", "+2222", "call-b") }, to(B, "b.example.com")),
        event("participant_joined", { participant: { sid: "PA_agent", kind: "AGENT" } }),
        event("participant_joined", { participant: sip("PA_out", "+3333", "call-out") }, nobody("x.example.com")),
        event("track_published", { participant: { sid: "PA_a" } }),
        event("track_unpublished", { participant: { sid: "PA_b" } }),
      );
    },
  };
}
