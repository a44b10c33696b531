import type { Matcher } from "../../../src/contracts/matcher";

/** The hook whose host is the called one. */
export const exactHost: Matcher = {
  name: "exact-host",
  match({ called: { host }, hooks }) {
    const hook = host === undefined ? undefined : hooks.exact(host);
    return hook === undefined ? { kind: "not-mine" } : { kind: "hook", hook };
  },
};
