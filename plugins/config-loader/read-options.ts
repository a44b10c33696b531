import { resolve } from "node:path";
import { KindGuard, Type, type TObject, type TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { isJsonObject } from "../../src/domain/json";
import type { PluginEntry } from "./config";
import { checkShape } from "./check-shape";
import type { ConfigProblem } from "./config-error";
import type { Environment } from "./environment";
import { fillDefaults } from "./fill-defaults";
import { fillEmpty } from "./fill-empty";
import { PATH, SECRET } from "./general-formats";
import { child, replaceAt, valueAt, type Pointer } from "./pointer";
import { Report } from "./report";
import { readReference } from "./secret-references";

export type OptionsReading =
  | { readonly kind: "read"; readonly options: unknown }
  | { readonly kind: "wrong"; readonly problems: readonly ConfigProblem[] };

export type OptionSources = {
  /** What paths begin at: the configuration file's directory. */
  readonly directory: string;
  readonly env: Environment;
};

/**
 * Reads a plugin's options by the plugin's schema, as our own settings are read: defaults filled in, unknown keys and wrong
 * values reported with their place and what to do, secrets' references resolved, paths made absolute, values decoded.
 *
 * @param index of the entry in `plugins`.
 */
export function readOptions(
  schema: TObject,
  { options, places }: PluginEntry,
  index: number,
  { directory, env }: OptionSources,
): OptionsReading {
  const at = child(child("/plugins", index), "options");
  const filled = fillDefaults(schema, fillEmpty(schema, structuredClone(options)));
  const tree = { plugins: { [index]: { options: filled } } };
  const report = new Report(places, true);
  for (const [pointer, text] of textsOf(schema, SECRET, at, tree)) {
    replaceAt(tree, pointer, readReference(text, pointer, env, report));
  }
  for (const [pointer, text] of textsOf(schema, PATH, at, tree)) {
    if (text !== "") replaceAt(tree, pointer, resolve(directory, text));
  }
  // With the way to it, so that the check finds everything where the configuration has it.
  checkShape(tree, report, Type.Object({ plugins: Type.Object({ [index]: Type.Object({ options: schema }) }) }));
  if (report.problems.length > 0) return { kind: "wrong", problems: report.problems };
  return { kind: "read", options: Value.Decode(schema, filled) };
}

/** The texts that were given for members of this format, with their pointers. */
function* textsOf(schema: TSchema, format: string, at: Pointer, tree: unknown): Generator<[Pointer, string]> {
  const value = valueAt(tree, at);
  if (KindGuard.IsArray(schema) && Array.isArray(value)) {
    for (const index of value.keys()) yield* textsOf(schema.items, format, child(at, index), tree);
  } else if (KindGuard.IsObject(schema) && isJsonObject(value)) {
    for (const [key, member] of Object.entries(schema.properties)) yield* textsOf(member, format, child(at, key), tree);
  } else if (schema["format"] === format && typeof value === "string") {
    yield [at, value];
  }
}
