import { jsonCommand } from "./service-options";

export type ConfigFlags = { readonly config?: string | undefined };

/** A command that works from the configuration: with `--config` and `--json`. */
export function configCommand(name: string) {
  return jsonCommand(name).option("-c, --config <file>", CONFIG_HELP);
}

export const CONFIG_HELP = "YAML file; the environment replaces its values, and everything can be set there";
