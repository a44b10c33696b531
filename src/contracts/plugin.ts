import type { StaticDecode, TObject } from "@sinclair/typebox";
import type { Clock } from "./clock";
import type { Logger } from "./logger";
import type { Matcher } from "./matcher";
import type { PluginMetrics } from "./plugin-metrics";
import type { PluginRoute } from "./plugin-route";
import type { Storage } from "./storage";

/** What a plugin is given when it is created: once, at start. */
export type PluginContext<Options> = {
  /** Its name in this configuration. */
  readonly name: string;
  /** As its schema says, with its defaults, checked. */
  readonly options: Options;
  /** Each line carries `plugin` and its name. Never log a secret. */
  readonly log: Logger;
  /** Use it in the place of `Date` and `setTimeout`: tests can turn it. */
  readonly clock: Clock;
  readonly metrics: PluginMetrics;
};

export type StorageContext<Options> = PluginContext<Options> & {
  /** `data_dir`, for what is kept in files. */
  readonly dataDir: string;
};

export type MatcherParts = Pick<Matcher, "match"> & {
  /** Below `/plugins/<name>`. */
  readonly routes?: readonly PluginRoute[];
  /** Ends timers, connections, watchers. Nothing is asked any more. */
  close?(): void | Promise<void>;
};

/** The storage's own `close` ends what it holds. */
export type StorageParts = { readonly storage: Storage; readonly routes?: readonly PluginRoute[] };

type PluginDefinition<Options extends TObject> = {
  /**
   * Lower-case letters, digits and `-`: how `sip.matchers` or `storage` name it, and where its routes are, unless the
   * configuration gives it another name.
   */
  readonly name: string;
  /** The version of the contract that it was written for, `1.0`. */
  readonly contract: string;
  /** What may be written below `options:` in the configuration. Each option has a description. */
  readonly options?: Options;
};

export type MatcherDefinition<Options extends TObject> = PluginDefinition<Options> & {
  create(context: PluginContext<StaticDecode<Options>>): MatcherParts | Promise<MatcherParts>;
};

/** A matcher that has nothing to set up. */
export type SimpleMatcherDefinition = Pick<PluginDefinition<TObject>, "name" | "contract"> & Pick<Matcher, "match">;

export type StorageDefinition<Options extends TObject> = PluginDefinition<Options> & {
  create(context: StorageContext<StaticDecode<Options>>): StorageParts | Promise<StorageParts>;
};

/** What `defineMatcher` makes, and a module exports by default. */
export type MatcherPlugin = {
  readonly kind: "matcher";
  readonly name: string;
  readonly contract: string;
  readonly options: TObject;
  create(context: PluginContext<unknown>): MatcherParts | Promise<MatcherParts>;
};

/** What `defineStorage` makes, and a module exports by default. */
export type StoragePlugin = {
  readonly kind: "storage";
  readonly name: string;
  readonly contract: string;
  readonly options: TObject;
  create(context: StorageContext<unknown>): StorageParts | Promise<StorageParts>;
};

export type Plugin = MatcherPlugin | StoragePlugin;
