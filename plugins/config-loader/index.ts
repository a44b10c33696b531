import { Elysia } from "elysia";
import type { Config } from "./config";

export type { Config, PluginEntry, SipConfig } from "./config";
export { ConfigError, type ConfigProblem } from "./config-error";
export { Option } from "./option";
export { readOptions } from "./read-options";
export { loadConfig, type LoadConfigOptions } from "./load-config";
export {
  planReload,
  RELOADED_SETTINGS,
  RELOADED_SIP_SETTINGS,
  type ReloadPlan,
  type WaitingChange,
} from "./reloadable";
export { ConfigSchema } from "./schema";
export { startupNotes, type StartupNote } from "./startup-notes";

export type ConfigLoaderOptions = {
  readonly config: Config;
};

/**
 * Gives every handler the configuration as `config`.
 *
 * @example
 * new Elysia().use(configLoader({ config: loadConfig({ file: "sayna-sip.yaml" }) }));
 */
export const configLoader = ({ config }: ConfigLoaderOptions) =>
  new Elysia({ name: "config-loader" }).decorate("config", config);
