import { afterEach, beforeEach } from "bun:test";
import type { Claim, IncomingEvent, PendingDelivery, Storage } from "../../../../src/contracts/storage";
import { A, event, NOW, sip, to } from "../../../../src/contracts/testing/sample-events";
import type { HookId } from "../../../../src/domain/ids";
import { openStorages, settled, type Storages } from "../../../support/storages";

export const everyHook = () => "ordered" as const;
export const delivered = { kind: "delivered" } as const;

/** Two instances on one database; those of the test that is running. */
export type TwoInstances = { readonly storages: Storages; readonly one: Storage; readonly two: Storage };

/** Opens them for each of the tests of the file that this is called in. */
export function twoInstances(): TwoInstances {
  let storages: Storages;

  beforeEach(async () => {
    storages = await openStorages(2);
  });

  afterEach(() => storages.remove());

  const instance = (i: number): Storage => {
    const storage = storages.all[i];
    if (storage === undefined) throw new Error("it is not open");
    return storage;
  };

  return {
    get storages() {
      return storages;
    },

    get one() {
      return instance(0);
    },

    get two() {
      return instance(1);
    },
  };
}

export function room(i: number | string) {
  return { sid: `RM_${i}`, name: `sip-${i}` };
}

export function joined(i: number | string, hook: HookId = A): IncomingEvent {
  const host = hook === A ? "a.example.com" : "b.example.com";
  return event("participant_joined", { room: room(i), participant: sip(`PA_${i}`) }, to(hook, host));
}

export async function claim(storage: Storage, limit = 10, now = NOW, busy: readonly number[] = []): Promise<Claim> {
  return storage.claim(A, { now, limit, busy: new Set(busy) });
}

/** Waits, in the server's time, until this instance is handed something. */
export async function claimWhenFree(storage: Storage): Promise<PendingDelivery> {
  for (let i = 0; i < 200; i++) {
    const [delivery] = (await claim(storage, 1)).deliveries;
    if (delivery !== undefined) return delivery;
    await Bun.sleep(50);
  }
  throw new Error("nothing was handed out");
}

/** Sends all there is as the dispatcher does, several lanes at a time; the names by room, in the order of their sending. */
export async function drain(storage: Storage, hook: HookId, sent: Map<string, string[]>): Promise<void> {
  for (;;) {
    const { deliveries } = await storage.claim(hook, { now: NOW, limit: 7, busy: new Set() });
    if (deliveries.length === 0) return;
    for (const { roomSid: sid = "", eventName } of deliveries) sent.set(sid, [...(sent.get(sid) ?? []), eventName]);
    await storage.settle(deliveries.map((delivery) => settled(delivery, delivered, NOW)));
  }
}
