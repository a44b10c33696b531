import type { HookId } from "../../../domain/ids";
import type { Claim, CommitResult, IncomingEvent, Outcome, PendingDelivery } from "../../storage";
import { openedStorage, type OpenedStorage, type StorageUnderTest } from "../opened-storage";
import { NOW } from "../sample-events";

export type DeliveringStorage = OpenedStorage & {
  /** For hooks that want every event, in order. */
  readonly keep: (...events: IncomingEvent[]) => Promise<readonly CommitResult[]>;
  readonly claim: (hook: HookId, options?: { now?: number; limit?: number; busy?: number[] }) => Promise<Claim>;
  /** What this hook would be sent, when each delivery is answered 2xx at once. */
  readonly drain: (hook: HookId, now?: number) => Promise<string[]>;
};

/** Opens a storage for each of the tests of the `describe` that this is called in. */
export function deliveringStorage(create: () => Promise<StorageUnderTest>): DeliveringStorage {
  const opened = openedStorage(create);
  return {
    get storage() {
      return opened.storage;
    },

    reopen: opened.reopen,

    keep: (...events) => opened.storage.commit(events, () => "ordered"),

    claim: (hook, { now = NOW, limit = 10, busy = [] } = {}) =>
      opened.storage.claim(hook, { now, limit, busy: new Set(busy) }),

    async drain(hook, now = NOW) {
      const names: string[] = [];
      for (;;) {
        const { deliveries } = await opened.storage.claim(hook, { now, limit: 10, busy: new Set() });
        if (deliveries.length === 0) return names;
        names.push(...deliveries.map((delivery) => delivery.eventName));
        await opened.storage.settle(deliveries.map((delivery) => settlement(delivery, { kind: "delivered" }, now)));
      }
    },
  };
}

export function settlement(delivery: PendingDelivery | undefined, outcome: Outcome, now = NOW) {
  if (delivery === undefined) throw new Error("no delivery was claimed");
  const attempt = { startedAt: now, durationMs: 3, status: 200, error: undefined, answerStart: undefined };
  return { delivery, at: now, attempt, outcome };
}
