import { resolve } from "node:path";
import type { Matcher } from "./contracts/matcher";

/** A module of `plugins` cannot be used; the message names it, says what is missing, and what to do. */
export class PluginError extends Error {
  constructor(module: string, problem: string, options?: ErrorOptions) {
    super(`The plugin ${module} ${problem}`, options);
    this.name = "PluginError";
  }
}

/**
 * Loads the modules that the configuration names. The default export of each is a `Matcher`.
 *
 * @param directory what relative paths begin at: the configuration file's directory.
 * @throws PluginError when one cannot be loaded or is no matcher. Fails closed because calls would be routed by other
 *   rules than asked for.
 */
export async function loadPlugins(modules: readonly string[], directory: string): Promise<readonly Matcher[]> {
  const matchers: Matcher[] = [];
  for (const module of modules) {
    const exported = await importModule(module, directory);
    const { default: plugin } = exported;
    if (!isMatcher(plugin)) {
      throw new PluginError(module, 'has no matcher as its default export: {name: "my-matcher", match(view) {…}}.');
    }
    matchers.push(plugin);
  }
  return matchers;
}

async function importModule(module: string, directory: string): Promise<{ readonly default?: unknown }> {
  try {
    const path = module.startsWith(".") ? resolve(directory, module) : module;
    return (await import(path)) as { readonly default?: unknown };
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new PluginError(module, `cannot be loaded: ${cause}. Paths begin at the configuration file's directory.`, {
      cause: error,
    });
  }
}

function isMatcher(value: unknown): value is Matcher {
  if (typeof value !== "object" || value === null) return false;
  const { name, match } = value as Partial<Record<keyof Matcher, unknown>>;
  return typeof name === "string" && name !== "" && typeof match === "function";
}
