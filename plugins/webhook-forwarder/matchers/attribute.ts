import type { Matcher } from "../../../src/contracts/matcher";
import { MATCHER_OF, type CallRoute } from "../../../src/domain/call-route";
import { toHook } from "./to-hook";

/** The hook of the first route whose attribute the participant has, with exactly that value. */
export function attribute(routes: readonly CallRoute[]): Matcher {
  const wanted = routes.flatMap(({ when, hook }) => (when.kind === "attribute" ? [{ ...when, hook }] : []));
  return {
    name: MATCHER_OF.attribute,
    match({ participant, hooks }) {
      const found = wanted.find((route) => participant.attributes[route.attribute] === route.value);
      return found === undefined ? { kind: "not-mine" } : toHook(found.hook, hooks);
    },
  };
}
