import { KindGuard, Type, type TObject, type TSchema } from "@sinclair/typebox";
import type {
  MatcherDefinition,
  MatcherPlugin,
  SimpleMatcherDefinition,
  StorageDefinition,
  StoragePlugin,
} from "./plugin";

/** It is part of addresses, of metrics' names, and stands in configurations. */
const PLUGIN_NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const LONGEST_NAME = 40;

export const isPluginName = (text: string): boolean => text.length <= LONGEST_NAME && PLUGIN_NAME.test(text);

/**
 * Makes a matcher that a configuration can name. See `Matcher` for what it promises, and what happens when it fails.
 *
 * @example
 * // Nothing to set up:
 * export default defineMatcher({
 *   name: "sales",
 *   contract: "1.0",
 *   match({ called, hooks }) {
 *     const hook = called.number === "+15557654321" ? hooks.byHost("sales.example.com") : undefined;
 *     return hook === undefined ? { kind: "not-mine" } : { kind: "hook", hook };
 *   },
 * });
 *
 * @example
 * // With options, which the configuration gives below `options:`
 * export default defineMatcher({
 *   name: "one-number",
 *   contract: "1.0",
 *   options: Type.Object({
 *     number: Type.String({ description: "The number that was called." }),
 *     host: Type.String({ description: "The host of its hook." }),
 *   }),
 *   create: ({ options: { number, host } }) => ({
 *     match({ called, hooks }) {
 *       const hook = called.number === number ? hooks.byHost(host) : undefined;
 *       return hook === undefined ? { kind: "not-mine" } : { kind: "hook", hook };
 *     },
 *   }),
 * });
 *
 * @throws TypeError for a name that cannot be one, or an option without description.
 */
export function defineMatcher(definition: SimpleMatcherDefinition): MatcherPlugin;
export function defineMatcher<Options extends TObject = TObject<{}>>(
  definition: MatcherDefinition<Options>,
): MatcherPlugin;
export function defineMatcher(definition: SimpleMatcherDefinition | MatcherDefinition<TObject>): MatcherPlugin {
  const { name, contract } = definition;
  if ("match" in definition) {
    return { kind: "matcher", name: checked(name), contract, options: closed(undefined), create: () => definition };
  }
  return {
    kind: "matcher",
    name: checked(name),
    contract,
    options: closed(definition.options),
    // The options are what this very schema has accepted.
    create: (context) => definition.create(context as Parameters<typeof definition.create>[0]),
  };
}

/**
 * Makes a storage that a configuration can select. See `Storage` for what it promises; `testStorage`, `testHistory`,
 * `testUpkeep` and `testCrashes` of `sayna-sip/testing` try it.
 *
 * @example
 * export default defineStorage({
 *   name: "my-storage",
 *   contract: "1.0",
 *   options: Type.Object({ url: Option.secret({ description: "The database's URL: a literal, env:NAME or file:PATH." }) }),
 *   create: async ({ options, clock, log }) => ({ storage: await openMyStorage(options.url.reveal(), { clock, log }) }),
 * });
 *
 * @throws TypeError for a name that cannot be one, or an option without description.
 */
export function defineStorage<Options extends TObject = TObject<{}>>(
  definition: StorageDefinition<Options>,
): StoragePlugin {
  return {
    kind: "storage",
    name: checked(definition.name),
    contract: definition.contract,
    options: closed(definition.options),
    // The options are what this very schema has accepted.
    create: (context) => definition.create(context as Parameters<typeof definition.create>[0]),
  };
}

function checked(name: string): string {
  if (typeof name === "string" && isPluginName(name)) return name;
  throw new TypeError(
    `a plugin's name has lower-case letters, digits and single hyphens, and ${LONGEST_NAME} characters at most, not ${JSON.stringify(name)}`,
  );
}

/** Refuses options that nobody could know the meaning of, and makes unknown keys errors, as they are in our own configuration. */
function closed(options: TObject | undefined): TObject {
  const schema = options ?? Type.Object({});
  if (!KindGuard.IsObject(schema)) throw new TypeError("a plugin's options are a Type.Object({…})");
  return closedObject(schema, "options");
}

function closedObject(schema: TObject, at: string): TObject {
  const members = Object.entries(schema.properties).map(([key, member]) => {
    if ((member.description ?? "") === "") throw new TypeError(`${at}.${key} has no description`);
    return [key, closedMember(member, `${at}.${key}`)] as const;
  });
  return { additionalProperties: false, ...schema, properties: Object.fromEntries(members) };
}

function closedMember(schema: TSchema, at: string): TSchema {
  if (KindGuard.IsObject(schema)) return closedObject(schema, at);
  return KindGuard.IsArray(schema) ? { ...schema, items: closedMember(schema.items, `${at}[]`) } : schema;
}
