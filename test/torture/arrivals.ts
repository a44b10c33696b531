import type { CallWebhook } from "./call-webhooks";
import type { DeliveryRecord } from "./delivery-record";

/** A stuck delivery is found by waiting; on a busy machine the last ones take their time. */
const ALL_ARRIVED_MS = 180_000;

/** Waits until every tenant has what it must get. @returns what has not arrived when the patience is at its end. */
export async function waitForAll(acknowledged: readonly CallWebhook[], record: DeliveryRecord): Promise<string[]> {
  const missing = () =>
    acknowledged.flatMap(({ id, to }) =>
      to.filter((tenant) => !record.hasDelivered(tenant, id)).map((tenant) => `${id} at ${tenant}`),
    );
  const deadline = Date.now() + ALL_ARRIVED_MS;
  while (missing().length > 0 && Date.now() < deadline) await Bun.sleep(100);
  // What comes too often comes now.
  for (let seen = -1; seen !== record.seen.length; await Bun.sleep(500)) seen = record.seen.length;
  return missing();
}

/** What came to a tenant that must not get it. */
export function foreign(sent: ReadonlyMap<string, CallWebhook>, record: DeliveryRecord): string[] {
  return record.seen
    .filter(({ id, tenant }) => sent.get(id)?.to.includes(tenant) !== true)
    .map(({ id, tenant }) => `${id} at ${tenant}`);
}
