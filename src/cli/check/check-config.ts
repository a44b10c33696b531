import { ConfigError, startupNotes } from "../../../plugins/config-loader";
import { builtInMatchers } from "../../../plugins/webhook-forwarder/matchers";
import { loadPlugins, PluginError } from "../../load-plugins";
import { CommandError } from "../command-error";
import { configurationError, directoryOf, readConfiguration, type ConfigFlags } from "../config-options";
import type { ExitCode } from "../exit-code";
import type { Output } from "../output";
import { visible } from "../visible";

/**
 * Finds what a start would refuse in the configuration, and tells what it would say of it.
 *
 * @throws CommandError with all that is wrong.
 */
export async function checkConfig(flags: ConfigFlags, output: Output): Promise<ExitCode | undefined> {
  const config = readConfiguration(flags);
  const plugins = await loadPlugins(config.plugins, { directory: directoryOf(flags) }).catch((error: unknown) => {
    if (error instanceof ConfigError) throw configurationError(error);
    throw error instanceof PluginError ? new CommandError(error.message) : error;
  });
  const storages = plugins.filter(({ plugin }) => plugin.kind === "storage").map(({ name }) => name);
  if (typeof config.storage === "string")
    refuseUnknown("storage (STORAGE_URL)", [config.storage], ["sqlite", ...storages]);
  const matchers = plugins.filter(({ plugin }) => plugin.kind === "matcher").map(({ name }) => name);
  refuseUnknown("sip.matchers", config.sip?.matchers ?? [], [
    ...builtInMatchers([]).map(({ name }) => name),
    ...matchers,
  ]);

  const notes = startupNotes(config);
  output.answer({ well: true, sip: config.sip !== undefined, notes }, (paint) => [
    ...notes.map(({ level, message }) =>
      level === "warn" ? `${paint("yellow", "warning:")} ${visible(message)}` : `note: ${visible(message)}`,
    ),
    config.sip === undefined
      ? "The configuration is right; SIP is off, because there is no sip block."
      : paint("green", "The configuration is right."),
  ]);
  return undefined;
}

function refuseUnknown(setting: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new CommandError(`${setting} names ${unknown}, which is neither built in nor brought by a plugin`, {
    hint: `Known are: ${known.join(", ")}.`,
  });
}
