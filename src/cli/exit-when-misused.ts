import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { EXIT } from "./exit-code";

/**
 * Makes a command and those below it end with 2 when they are used wrongly; commander's own is 1, which says that something
 * is not well. Set on each, since `addCommand` passes nothing on.
 */
export function exitWhenMisused(command: CommandUnknownOpts): void {
  command.exitOverride((error) => process.exit(error.exitCode === EXIT.ok ? EXIT.ok : EXIT.misused));
  const more = command.parent === null ? "lists the commands" : "tells more";
  command.showHelpAfterError(`(${fullName(command)} --help ${more})`);
  for (const child of command.commands) exitWhenMisused(child);
}

const fullName = (command: CommandUnknownOpts): string =>
  command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
