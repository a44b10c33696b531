import type { Matcher } from "../../../src/contracts/matcher";
import { MATCHER_OF, type CallRoute } from "../../../src/domain/call-route";
import { toHook } from "./to-hook";

/** The hook of the route with the number that was called. */
export function calledNumber(routes: readonly CallRoute[]): Matcher {
  const hosts = new Map(routes.flatMap(({ when, hook }) => (when.kind === "number" ? [[when.number, hook]] : [])));
  return {
    name: MATCHER_OF.number,
    match({ called, hooks }) {
      const host = hosts.size === 0 ? undefined : hosts.get(called.number ?? "");
      return host === undefined ? { kind: "not-mine" } : toHook(host, hooks);
    },
  };
}
