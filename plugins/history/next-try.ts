import type * as history from "../../src/contracts/history";
import type { PausedHook } from "../../src/contracts/storage";
import type { Outage } from "../../src/domain/breaker";
import type { HookId } from "../../src/domain/ids";
import type { DeliveryView } from "./delivery-schemas";
import { iso } from "./read-query";

/**
 * What keeps back all that a hook is sent. The breaker is that of the answering instance: with a shared storage each one has
 * its own, and another one's may be closed.
 */
export type Obstacles = {
  readonly pausedHook: (hook: HookId) => PausedHook | undefined;
  /** Undefined while the hook's endpoint is taken to work. */
  readonly breakerOf: (hook: HookId) => Outage | undefined;
};

/**
 * When a delivery may go out, and what keeps it back beside its own time. A paused hook has no such time. An open breaker's is
 * that of its next probe, which takes any call's next delivery, due or not (delivery rule 3); it has none while a probe is
 * under way.
 */
export function showNextTry(
  { state, hook, nextTry, waitsFor }: history.DeliveryView,
  { pausedHook, breakerOf }: Obstacles,
): Pick<DeliveryView, "next_try" | "delayed_by"> {
  if (state !== "pending") return {};
  if (pausedHook(hook.id) !== undefined) return { delayed_by: "pause" };
  const outage = breakerOf(hook.id);
  const at = outage === undefined ? nextTry : outage.nextProbe;
  return {
    ...(at === undefined || waitsFor !== undefined ? {} : { next_try: iso(at) }),
    ...(outage === undefined ? {} : { delayed_by: "breaker" }),
  };
}
