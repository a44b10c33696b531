import type { Matcher } from "../../../src/contracts/matcher";
import { attribute } from "./attribute";
import type { CallRoute } from "../../../src/domain/call-route";
import { calledNumber } from "./called-number";
import { exactHost } from "./exact-host";
import { numberPrefix } from "./number-prefix";
import { trunk } from "./trunk";
import { wildcardHost } from "./wildcard-host";

export type { CallRoute } from "../../../src/domain/call-route";

/** The matchers that need no plugin, with the operator's routes. */
export const builtInMatchers = (routes: readonly CallRoute[]): readonly Matcher[] => [
  exactHost,
  wildcardHost,
  calledNumber(routes),
  numberPrefix(routes),
  trunk(routes),
  attribute(routes),
];
