#!/usr/bin/env bun
import { dirname, resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import packageJson from "../package.json" with { type: "json" };
import { ConfigError, loadConfig, type Config } from "../plugins/config-loader";
import { storageCopyCommand } from "./cli/storage-copy-command";
import { nearest } from "./domain/nearest";
import { serve } from "./serve";

const program = new Command("sayna-sip")
  .description(packageJson.description)
  .version(packageJson.version)
  .showHelpAfterError("(sayna-sip --help lists the commands)")
  // Without this the default command takes a misspelt one for an argument that it does not have.
  .hook("preSubcommand", (parent, chosen) => {
    const [first] = parent.args;
    if (first !== undefined && !first.startsWith("-") && first !== chosen.name()) refuseCommand(first);
  });

program
  .command("serve", { isDefault: true })
  .description("run the service until SIGTERM or SIGINT")
  .option("-c, --config <file>", "YAML file; the environment replaces its values, and everything can be set there")
  .addHelpText(
    "after",
    "\nExamples:\n  sayna-sip serve --config sayna-sip.yaml\n  SIP_ROOM_PREFIX=sip- … sayna-sip serve",
  )
  .action(async ({ config: file }) => {
    const config = readConfig(file);
    if (config === undefined) process.exit(1);
    const directory = file === undefined ? process.cwd() : dirname(resolve(file));
    // What makes lines readable takes 30 ms to load, which a service does not need.
    const { createLog } = await (process.stdout.isTTY ? import("./pretty-log") : import("./json-log"));
    process.exit(await serve(config, { log: createLog(), directory, signalled: waitForSignal() }));
  });

program
  .command("demo")
  .description("show the main job in this terminal, without a LiveKit or a SIP carrier")
  .action(async () => {
    const { runDemo } = await import("./demo/run-demo");
    process.exit(await runDemo());
  });

program.command("storage").description("work on what is kept").addCommand(storageCopyCommand());

await program.parseAsync();

function refuseCommand(name: string): never {
  const meant = nearest(
    name,
    program.commands.map((command) => command.name()),
  );
  const hint = meant === undefined ? "A configuration file is named by: serve --config FILE" : `Did you mean ${meant}?`;
  return program.error(`error: there is no command '${name}'\n${hint}`);
}

function waitForSignal(): Promise<string> {
  return new Promise((tell) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => tell(signal));
  });
}

/** Undefined when it is wrong; what is wrong has been said then. */
function readConfig(file: string | undefined): Config | undefined {
  try {
    return loadConfig(file === undefined ? {} : { file });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return undefined;
  }
}
