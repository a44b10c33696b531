import type { Matcher } from "../../../src/contracts/matcher";

/** The hook with the longest `*.suffix` that the called host ends in. */
export const wildcardHost: Matcher = {
  name: "wildcard-host",
  match({ called: { host }, hooks }) {
    const hook = host === undefined ? undefined : hooks.wildcard(host);
    return hook === undefined ? { kind: "not-mine" } : { kind: "hook", hook };
  },
};
