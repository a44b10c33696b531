import type { Registry } from "prom-client";
import type { Clock } from "../../src/contracts/clock";
import type { Logger } from "../../src/contracts/logger";
import type { Matcher } from "../../src/contracts/matcher";
import type { MatcherPlugin, Plugin, PluginContext, StoragePlugin } from "../../src/contracts/plugin";
import type { PluginRoute } from "../../src/contracts/plugin-route";
import type { Storage } from "../../src/contracts/storage";

/** A plugin of the configuration, its options checked and decoded. */
export type LoadedPlugin = {
  readonly plugin: Plugin;
  /** Its name here: the configuration's, else its own. */
  readonly name: string;
  readonly options: unknown;
};

/** A plugin could not be created. */
export class PluginStartError extends Error {
  constructor(name: string, cause: unknown) {
    super(`The plugin ${name} cannot start: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "PluginStartError";
  }
}

export type CreatedPlugin = {
  readonly name: string;
  readonly routes: readonly PluginRoute[];
  /** What it counts and measures; empty when it declared nothing. */
  readonly metrics: Registry;
};

export type CreatedMatcher = CreatedPlugin & { readonly matcher: Matcher; close(): Promise<void> };
export type CreatedStorage = CreatedPlugin & { readonly storage: Storage };

type Surroundings = { readonly clock: Clock; readonly log: Logger };

/** @throws PluginStartError when it cannot be created, or gives no matcher. */
export async function createMatcher(
  { name, options }: LoadedPlugin,
  plugin: MatcherPlugin,
  { clock, log }: Surroundings,
): Promise<CreatedMatcher> {
  const { registry, metrics } = await createOwnMetrics(name);
  const ownLog = logOf(name, log);
  const context: PluginContext<unknown> = { name, options, clock, log: ownLog, metrics };
  return starting(name, async () => {
    const parts = await plugin.create(context);
    if (typeof parts?.match !== "function") throw new TypeError("create() gave no match(view)");
    return {
      name,
      metrics: registry,
      routes: parts.routes ?? [],
      matcher: { name, match: (view) => parts.match(view) },
      async close() {
        try {
          await parts.close?.();
        } catch (error) {
          // Fails open because everything is over anyway.
          ownLog.error({ err: error }, "A plugin could not be closed");
        }
      },
    };
  });
}

/** @throws PluginStartError when it cannot be created, or gives no storage. */
export async function createStorage(
  { name, options }: LoadedPlugin,
  plugin: StoragePlugin,
  { clock, log, dataDir }: Surroundings & { readonly dataDir: string },
): Promise<CreatedStorage> {
  const { registry, metrics } = await createOwnMetrics(name);
  const context = { name, options, clock, dataDir, log: logOf(name, log), metrics };
  return starting(name, async () => {
    const parts = await plugin.create(context);
    if (typeof parts?.storage?.commit !== "function") throw new TypeError("create() gave no storage");
    return { name, metrics: registry, routes: parts.routes ?? [], storage: parts.storage };
  });
}

/** Prometheus's client takes 50 ms and 9 MB to load (measured): only for who has plugins. */
async function createOwnMetrics(plugin: string) {
  const [prometheus, { createMetrics }] = await Promise.all([import("prom-client"), import("./create-metrics")]);
  const registry = new prometheus.Registry();
  return { registry, metrics: createMetrics(plugin, registry) };
}

async function starting<T>(name: string, create: () => Promise<T>): Promise<T> {
  try {
    return await create();
  } catch (error) {
    // Fails closed because calls would be routed, or kept, otherwise than asked for.
    throw new PluginStartError(name, error);
  }
}

function logOf(plugin: string, log: Logger): Logger {
  return {
    debug: (fields, message) => log.debug({ ...fields, plugin }, message),
    info: (fields, message) => log.info({ ...fields, plugin }, message),
    warn: (fields, message) => log.warn({ ...fields, plugin }, message),
    error: (fields, message) => log.error({ ...fields, plugin }, message),
  };
}
