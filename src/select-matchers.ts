import type { Matcher } from "./contracts/matcher";

/** `sip.matchers` names a matcher that nobody brings, or two have the same name. */
export class MatcherError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MatcherError";
  }
}

/**
 * The matchers in the order of their names.
 *
 * @throws MatcherError for a name that is unknown, or that a plugin takes from a built-in one. Fails closed because calls
 *   would be routed by other rules than asked for.
 */
export function selectMatchers(
  names: readonly string[],
  builtIn: readonly Matcher[],
  added: readonly Matcher[],
): readonly Matcher[] {
  const known = new Map(builtIn.map((matcher) => [matcher.name, matcher]));
  for (const matcher of added) {
    if (known.has(matcher.name)) {
      throw new MatcherError(`There are two matchers ${matcher.name}. Give the plugin's another \`name\` in plugins.`);
    }
    known.set(matcher.name, matcher);
  }
  return names.map((name) => {
    const matcher = known.get(name);
    if (matcher !== undefined) return matcher;
    const all = [...known.keys()].join(", ");
    throw new MatcherError(
      `sip.matchers names ${name}, which is neither built in nor brought by a plugin. Known are: ${all}.`,
    );
  });
}
