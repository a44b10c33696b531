import { Value } from "@sinclair/typebox/value";
import { checkAccess } from "./check-access";
import { checkRetention } from "./check-retention";
import { checkServer } from "./check-server";
import { checkShape } from "./check-shape";
import { checkSip } from "./check-sip";
import { checkStorage } from "./check-storage";
import type { Config } from "./config";
import { ConfigError } from "./config-error";
import { readConfigFile } from "./config-file";
import { readEnvironment, type Environment, type EnvironmentSource } from "./environment";
import { fillDefaults } from "./fill-defaults";
import { fillEmpty } from "./fill-empty";
import { isJsonObject } from "../../src/domain/json";
import { parentOf, putAt, type Pointer } from "./pointer";
import { Report } from "./report";
import { ConfigSchema } from "./schema";
import { resolveReferences } from "./secret-references";

export type LoadConfigOptions = {
  /** A YAML file; it must exist. Without it the environment alone counts. */
  readonly file?: string | undefined;
  /** The process's own environment by default. */
  readonly env?: Environment | undefined;
};

/**
 * Reads the configuration: the environment over the YAML file over the defaults. A value of the environment replaces the
 * file's one whole, lists included.
 *
 * @throws ConfigError with everything that is wrong, each with its source and what to do; nothing else.
 * @example
 * const config = loadConfig({ file: "sayna-sip.yaml" });
 * if (config.sip) console.log(config.sip.room_prefix);
 */
export function loadConfig({ file, env = process.env }: LoadConfigOptions = {}): Config {
  const fromFile = readConfigFile(file);
  const fromEnv = readEnvironment(env);
  const filled = fillEmpty(ConfigSchema, fromFile.tree);
  const tree: Record<string, unknown> = isJsonObject(filled) ? { ...filled } : {};
  if (Array.isArray(tree.plugins)) tree.plugins = tree.plugins.map(asEntry);
  const places = replace(tree, fromFile.places, fromEnv);

  const report = new Report(places, fromFile.complete);
  resolveReferences(tree, env, report);
  const complete: unknown = fillDefaults(ConfigSchema, tree);
  checkShape(complete, report);
  checkServer(complete, report);
  checkAccess(complete, report);
  checkSip(complete, report);
  checkRetention(complete, report);
  checkStorage(complete, report);

  const problems = [...fromFile.problems, ...fromEnv.problems, ...report.problems];
  if (problems.length > 0) throw new ConfigError(problems);
  const config = Value.Decode(ConfigSchema, complete);
  const plugins = config.plugins.map(({ module, name, options = {} }) => {
    return { module, ...(name === undefined ? {} : { name }), options, places };
  });
  return { ...config, sip: config.sip, plugins };
}

/** An entry of `plugins` that is a text names a module without options. */
const asEntry = (entry: unknown): unknown => (typeof entry === "string" ? { module: entry } : entry);

/** Puts the environment's values into `tree`; returns where every value is from then. */
function replace(
  tree: Record<string, unknown>,
  filePlaces: ReadonlyMap<Pointer, string>,
  { values, places: ownPlaces }: EnvironmentSource,
): Map<Pointer, string> {
  const replaced = (at: Pointer): boolean =>
    values.some(({ pointer }) => at === pointer || at.startsWith(`${pointer}/`));
  const places = new Map([...filePlaces].filter(([at]) => !replaced(at)));
  for (const { pointer, value, variable } of values) {
    putAt(tree, pointer, value);
    // The blocks around it, too, when the file has none: what is missing in them is missing beside this variable.
    for (let at: Pointer | undefined = pointer; at !== undefined && !places.has(at); at = parentOf(at)) {
      places.set(at, variable);
    }
  }
  for (const [at, variable] of ownPlaces) places.set(at, variable);
  return places;
}
