/**
 * Loaded before src/main.ts (`bun --preload`): in the place of reading its arguments the program prints what commands it
 * has, and ends.
 */
import { Command } from "commander";
import type { CommandNode } from "./command-tree";

function nodeOf(command: Command): CommandNode {
  return {
    name: command.name(),
    commands: command.commands.map(nodeOf),
    options: command.options.flatMap(({ long, short, required, optional }) =>
      [long, short].flatMap((name) => (name === undefined ? [] : [{ name, hasValue: required || optional }])),
    ),
    needs: command.registeredArguments.filter(({ required }) => required).length,
    takes: command.registeredArguments.some(({ variadic }) => variadic) ? null : command.registeredArguments.length,
  };
}

Command.prototype.parseAsync = function print(this: Command) {
  process.stdout.write(JSON.stringify(nodeOf(this)));
  process.exit(0);
};
