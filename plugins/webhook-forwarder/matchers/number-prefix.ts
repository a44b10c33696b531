import type { Matcher } from "../../../src/contracts/matcher";
import { MATCHER_OF, type CallRoute } from "../../../src/domain/call-route";
import { toHook } from "./to-hook";

/** The hook of the route with the longest prefix that the called number begins with. */
export function numberPrefix(routes: readonly CallRoute[]): Matcher {
  const hosts = new Map(
    routes.flatMap(({ when, hook }) => (when.kind === "number_prefix" ? [[when.prefix, hook]] : [])),
  );
  const lengths = [...new Set([...hosts.keys()].map((prefix) => prefix.length))].toSorted((a, b) => b - a);
  return {
    name: MATCHER_OF.number_prefix,
    match({ called, hooks }) {
      const number = hosts.size === 0 ? undefined : called.number;
      if (number === undefined) return { kind: "not-mine" };
      for (const length of lengths) {
        const host = hosts.get(number.slice(0, length));
        if (host !== undefined) return toHook(host, hooks);
      }
      return { kind: "not-mine" };
    },
  };
}
