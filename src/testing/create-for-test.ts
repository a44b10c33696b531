import { Registry } from "prom-client";
import { ConfigError, readOptions } from "../../plugins/config-loader";
import { createMetrics } from "../../plugins/plugin-host/create-metrics";
import type { Clock } from "../contracts/clock";
import type { Logger } from "../contracts/logger";
import type { MatcherParts, MatcherPlugin, Plugin, StorageParts, StoragePlugin } from "../contracts/plugin";
import { ManualClock } from "../contracts/testing/manual-clock";
import type { JsonObject } from "../domain/json";

export type ForTest = {
  /** As they would be written below `options:` in the configuration. */
  readonly options?: JsonObject;
  /** What paths among them begin at; the working directory by default. */
  readonly directory?: string;
  /** For `env:NAME` among them. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A `ManualClock` by default. */
  readonly clock?: Clock;
  /** Says nothing by default. */
  readonly log?: Logger;
  /** For a storage. */
  readonly dataDir?: string;
};

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Makes what a plugin brings, as the service does at start: its options are read by its schema.
 *
 * @example
 * const matcher = await createForTest(plugin, { options: { file: "numbers.csv" }, directory: import.meta.dir });
 *
 * @throws ConfigError when the options are wrong; whatever the plugin's own `create` throws.
 */
export async function createForTest(plugin: MatcherPlugin, setting?: ForTest): Promise<MatcherParts>;
export async function createForTest(plugin: StoragePlugin, setting?: ForTest): Promise<StorageParts>;
export async function createForTest(plugin: Plugin, setting: ForTest = {}): Promise<MatcherParts | StorageParts> {
  const { options: given = {}, directory = process.cwd(), env = {}, clock = new ManualClock(), log = silent } = setting;
  const entry = { module: plugin.name, options: given, places: new Map([["", "test"]]) };
  const reading = readOptions(plugin.options, entry, 0, { directory, env });
  if (reading.kind === "wrong") throw new ConfigError(reading.problems);
  const { name } = plugin;
  const context = { name, options: reading.options, clock, log, metrics: createMetrics(name, new Registry()) };
  return plugin.kind === "matcher"
    ? plugin.create(context)
    : plugin.create({ ...context, dataDir: setting.dataDir ?? directory });
}
