import type { Matcher } from "../../../src/contracts/matcher";
import { exactHost } from "./exact-host";
import { wildcardHost } from "./wildcard-host";

export const BUILT_IN_MATCHERS: readonly Matcher[] = [exactHost, wildcardHost];
