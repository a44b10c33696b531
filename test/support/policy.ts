import type { DeliveryPolicy } from "../../src/domain/delivery-policy";

/** The delivery policy of the defaults. */
export const policy: DeliveryPolicy = {
  schedule: [1_000, 5_000, 15_000, 60_000, 300_000],
  maxAge: 86_400_000,
  deadline: 10_000,
  concurrency: 10,
  order: "call",
  events: ["*"],
  expiry: [],
};
