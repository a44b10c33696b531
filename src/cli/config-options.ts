import { dirname, resolve } from "node:path";
import { ConfigError, loadConfig, type Config } from "../../plugins/config-loader";
import { CommandError } from "./command-error";
import { jsonCommand } from "./service-options";

export type ConfigFlags = { readonly config?: string | undefined };

/** A command that works from the configuration: with `--config` and `--json`. */
export function configCommand(name: string) {
  return jsonCommand(name).option("-c, --config <file>", CONFIG_HELP);
}

export const CONFIG_HELP = "YAML file; the environment replaces its values, and everything can be set there";

/** @throws CommandError with everything that is wrong with it, each with its place and what to do. */
export function readConfiguration({ config: file }: ConfigFlags): Config {
  try {
    return loadConfig(file === undefined ? {} : { file });
  } catch (error) {
    if (error instanceof ConfigError) throw configurationError(error);
    throw error;
  }
}

/** What is wrong with a configuration, as a command tells it. */
export const configurationError = ({ message, problems }: ConfigError): CommandError =>
  new CommandError(message, { json: { error: { code: "configuration", message, problems } } });

/** What relative paths in the configuration begin at: its file's directory. */
export const directoryOf = ({ config: file }: ConfigFlags): string =>
  file === undefined ? process.cwd() : dirname(resolve(file));
