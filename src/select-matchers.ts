import { BUILT_IN_MATCHERS } from "../plugins/webhook-forwarder/matchers";
import type { Matcher } from "./contracts/matcher";

/** `sip.matchers` names a matcher that nobody brings. */
export class MatcherError extends Error {
  constructor(name: string, known: readonly string[]) {
    super(
      `sip.matchers names ${name}, which is neither built in nor brought by a plugin. Known are: ${known.join(", ")}.`,
    );
    this.name = "MatcherError";
  }
}

/**
 * The matchers in the order of their names.
 *
 * @throws MatcherError for a name that is unknown. Fails closed because calls would be routed by other rules than asked for.
 */
export function selectMatchers(names: readonly string[], added: readonly Matcher[]): readonly Matcher[] {
  const known = new Map([...BUILT_IN_MATCHERS, ...added].map((matcher) => [matcher.name, matcher]));
  return names.map((name) => {
    const matcher = known.get(name);
    if (matcher === undefined) throw new MatcherError(name, [...known.keys()]);
    return matcher;
  });
}
