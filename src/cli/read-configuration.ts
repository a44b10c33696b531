import { dirname, resolve } from "node:path";
import { ConfigError, loadConfig, type Config } from "../../plugins/config-loader";
import { CommandError } from "./command-error";
import type { ConfigFlags } from "./config-options";

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
