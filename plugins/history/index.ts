import { Elysia } from "elysia";
import { callRoutes } from "./call-routes";
import { deliveryRoutes } from "./delivery-routes";
import type { Obstacles } from "./next-try";
import { replayRoutes, type ReplayRoutesOptions } from "./replay-routes";
import { createUnmatchedReplay, type UnmatchedReplayOptions } from "./replay-unmatched";
import { unmatchedRoutes } from "./unmatched-routes";

export type HistoryOptions = Omit<ReplayRoutesOptions, "replayUnmatched"> &
  Pick<UnmatchedReplayOptions, "matching"> &
  Pick<Obstacles, "breakerOf">;

/** The routes that show what happened to calls and deliveries, and that send again or cancel. */
export function history({ matching, breakerOf, ...options }: HistoryOptions) {
  const { history: stored, registry, clock } = options;
  const replayUnmatched = createUnmatchedReplay({
    history: stored,
    table: () => registry.table,
    plan: registry.planDelivery,
    matching,
    clock,
  });
  const obstacles: Obstacles = { pausedHook: (hook) => registry.pausedHook(hook), breakerOf };
  return new Elysia({ name: "sayna-sip/history" })
    .use(deliveryRoutes({ ...options, obstacles }))
    .use(unmatchedRoutes(options))
    .use(callRoutes({ ...options, obstacles }))
    .use(replayRoutes({ ...options, replayUnmatched }));
}
