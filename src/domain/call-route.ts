import type { HostPattern } from "./host-pattern";

/** What a call must have besides a host, or instead of it: one thing each. */
export type Criterion =
  | { readonly kind: "number"; readonly number: string }
  | { readonly kind: "number_prefix"; readonly prefix: string }
  | { readonly kind: "trunk"; readonly trunk: string }
  | { readonly kind: "attribute"; readonly attribute: string; readonly value: string };

/**
 * An entry of `sip.routes`: calls that belong to the hook of this host, whatever host they call. The operator's word alone:
 * it is written in the configuration, and no hook that is added at run time can ask for such calls.
 */
export type CallRoute = { readonly hook: HostPattern; readonly when: Criterion };

/** The built-in matcher that each kind of criterion is for. */
export const MATCHER_OF = {
  number: "called-number",
  number_prefix: "number-prefix",
  trunk: "trunk",
  attribute: "attribute",
} as const satisfies Record<Criterion["kind"], string>;
