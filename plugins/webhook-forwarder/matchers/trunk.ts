import type { Matcher } from "../../../src/contracts/matcher";
import { MATCHER_OF, type CallRoute } from "../../../src/domain/call-route";
import { toHook } from "./to-hook";

/** The hook of the route with the LiveKit trunk that the call came in by, or goes out by. */
export function trunk(routes: readonly CallRoute[]): Matcher {
  const hosts = new Map(routes.flatMap(({ when, hook }) => (when.kind === "trunk" ? [[when.trunk, hook]] : [])));
  return {
    name: MATCHER_OF.trunk,
    match({ participant, hooks }) {
      const host = hosts.size === 0 ? undefined : hosts.get(participant.attributes["sip.trunkID"] ?? "");
      return host === undefined ? { kind: "not-mine" } : toHook(host, hooks);
    },
  };
}
