import type { DeliveryView } from "../../../plugins/history/delivery-schemas";
import { showTime } from "../show-time";

/** Why a delivery goes out later than its schedule says. */
export const DELAYED: Readonly<Record<NonNullable<DeliveryView["delayed_by"]>, string>> = {
  pause: "its hook is paused",
  breaker: "its hook's breaker is open",
};

/** What a pending delivery waits for: its time, the one before it in its call, its hook. */
export function showWaiting(delivery: Pick<DeliveryView, "next_try" | "waits_for" | "delayed_by">): string {
  const { next_try: next, waits_for: waitsFor, delayed_by: delayed } = delivery;
  const turn = waitsFor === undefined ? undefined : `after delivery ${waitsFor}`;
  const when = turn ?? (next === undefined ? undefined : `from ${showTime(next)} on`);
  const why = delayed === undefined ? undefined : DELAYED[delayed];
  return [when, why].filter((part) => part !== undefined).join(", ") || "under way";
}
