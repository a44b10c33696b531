import { Elysia } from "elysia";
import { AppError } from "../../src/domain/errors";
import type { AuthPlugin } from "../auth";
import { errorResponses } from "../http-errors";
import { callRoutes } from "./call-routes";
import { deliveryRoutes } from "./delivery-routes";
import { replayRoutes, type ReplayRoutesOptions } from "./replay-routes";
import { createUnmatchedReplay, type UnmatchedReplayOptions } from "./replay-unmatched";
import { unmatchedRoutes } from "./unmatched-routes";

export type HistoryOptions = Omit<ReplayRoutesOptions, "replayUnmatched"> & Pick<UnmatchedReplayOptions, "matching">;

/** The routes that show what happened to calls and deliveries, and that send again or cancel. */
export function history({ matching, ...options }: HistoryOptions) {
  const { history: stored, registry, clock } = options;
  const replayUnmatched = createUnmatchedReplay({
    history: stored,
    table: () => registry.table,
    plan: registry.planDelivery,
    matching,
    clock,
  });
  return new Elysia({ name: "sayna-sip/history" })
    .use(deliveryRoutes(options))
    .use(unmatchedRoutes(options))
    .use(callRoutes(options))
    .use(replayRoutes({ ...options, replayUnmatched }));
}

/** The same addresses when SIP is off. */
export function historyOff({ auth }: { readonly auth: AuthPlugin }) {
  const refuse = (): never => {
    throw new AppError("sip_not_configured");
  };
  const route = {
    caller: true,
    response: errorResponses(["unauthorized", "sip_not_configured"]),
    detail: { summary: "SIP is not configured on this server" },
  } as const;
  return new Elysia({ name: "sayna-sip/history", tags: ["history"] })
    .use(auth)
    .get("/sip/deliveries", refuse, route)
    .get("/sip/deliveries/:id", refuse, route)
    .get("/sip/unmatched", refuse, route)
    .get("/sip/calls", refuse, route)
    .get("/sip/calls/:room_sid", refuse, route)
    .post("/sip/replay", refuse, route)
    .post("/sip/deliveries/cancel", refuse, route);
}
