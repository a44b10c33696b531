import { isAbsolute, resolve } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { ConfigError, readOptions, type ConfigProblem, type PluginEntry } from "../plugins/config-loader";
import type { LoadedPlugin } from "../plugins/plugin-host";
import { contractProblem } from "./contracts/contract-version";
import { isPluginName } from "./contracts/define-plugin";
import type { Plugin } from "./contracts/plugin";
import { provideOurselves } from "./provide-ourselves";

/** A module of `plugins` cannot be used; the message names it, says what is missing, and what to do. */
export class PluginError extends Error {
  constructor(module: string, problem: string, options?: ErrorOptions) {
    super(`The plugin ${module} ${problem}`, options);
    this.name = "PluginError";
  }
}

export type LoadPluginsOptions = {
  /** What relative paths begin at: the configuration file's directory. */
  readonly directory: string;
  /** For the options' references to secrets; the process's own environment by default. */
  readonly env?: Readonly<Record<string, string | undefined>>;
};

/**
 * Loads the modules that the configuration names. The default export of each was made by `defineMatcher` or `defineStorage`.
 * Nothing of them is started.
 *
 * @throws PluginError when one cannot be loaded, is no plugin, was written for another version of its contract, or has the
 *   name of another; ConfigError with all that is wrong with the options. Fails closed because calls would be routed by
 *   other rules than asked for.
 */
export async function loadPlugins(
  entries: readonly PluginEntry[],
  { directory, env = process.env }: LoadPluginsOptions,
): Promise<readonly LoadedPlugin[]> {
  if (entries.length === 0) return [];
  provideOurselves();
  const loaded: LoadedPlugin[] = [];
  const problems: ConfigProblem[] = [];
  for (const [index, entry] of entries.entries()) {
    const plugin = toPlugin(entry.module, await importModule(entry.module, directory));
    const name = entry.name ?? plugin.name;
    if (loaded.some((other) => other.name === name) || name === "sqlite") {
      throw new PluginError(entry.module, `has the name of another one, ${name}. Give it another \`name\`.`);
    }
    const reading = readOptions(plugin.options, entry, index, { directory, env });
    if (reading.kind === "wrong") problems.push(...reading.problems);
    else loaded.push({ plugin, name, options: reading.options });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return loaded;
}

async function importModule(module: string, directory: string): Promise<unknown> {
  try {
    const imported = (await import(locate(module, directory))) as { readonly default?: unknown };
    return imported.default;
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new PluginError(
      module,
      `cannot be loaded: ${cause}. A path begins at the configuration file's directory; a package is looked for there` +
        // A binary has packages inside, which are for itself alone.
        (Bun.isStandaloneExecutable ? "." : ", and beside sayna-sip."),
      { cause: error },
    );
  }
}

function locate(module: string, directory: string): string {
  if (module.startsWith(".") || isAbsolute(module)) return resolve(directory, module);
  try {
    return Bun.resolveSync(module, directory);
  } catch {
    // Beside sayna-sip, then; if it is not there either, that error says more than this one.
    return module;
  }
}

function toPlugin(module: string, exported: unknown): Plugin {
  if (!isObject(exported)) {
    throw new PluginError(
      module,
      'has no plugin as its default export: export default defineMatcher({name: "my-matcher", contract: "1.0", match(view) {…}}).',
    );
  }
  const { kind, name, contract, options, create } = exported;
  if (kind !== "matcher" && kind !== "storage") {
    throw new PluginError(
      module,
      typeof exported["match"] === "function"
        ? 'was not made by defineMatcher: export default defineMatcher({name, contract: "1.0", match(view) {…}}).'
        : "has a default export that neither defineMatcher nor defineStorage made.",
    );
  }
  const problem = contractProblem(kind, contract, packageJson.version);
  if (problem !== undefined) throw new PluginError(module, problem);
  const whole = typeof name === "string" && isPluginName(name) && isObject(options) && typeof create === "function";
  if (!whole) throw new PluginError(module, "is not what defineMatcher and defineStorage make: use them.");
  // All members were looked at, and the contract's version is one that has no others.
  return exported as unknown as Plugin;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
