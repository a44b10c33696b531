#!/usr/bin/env bun
import { dirname, resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import packageJson from "../package.json" with { type: "json" };
import { ConfigError, loadConfig, type Config } from "../plugins/config-loader";
import { systemClock } from "./contracts/clock";
import { nearest } from "./domain/nearest";
import type { LogLevel } from "./json-log";
import { reloadRequests } from "./reload-requests";
import { serve } from "./serve";
import { createThrottledLog } from "./throttled-log";

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
  .option("-w, --watch", "read the file again when it changes, as on SIGHUP")
  .addHelpText(
    "after",
    "\nSIGHUP reads the configuration again: hooks, delivery policies, credentials and the log level change without a restart." +
      "\n\nExamples:\n  sayna-sip serve --config sayna-sip.yaml\n  sayna-sip serve --config sayna-sip.yaml --watch" +
      "\n  SIP_ROOM_PREFIX=sip- … sayna-sip serve",
  )
  .action(async ({ config: file, watch = false }) => {
    if (watch && file === undefined) {
      program.error("error: --watch needs a file to watch: serve --config FILE --watch", { exitCode: 2 });
    }
    const requests = reloadRequests({ watch: watch ? file : undefined });
    const config = readConfig(file);
    if (config === undefined) process.exit(1);
    const directory = file === undefined ? process.cwd() : dirname(resolve(file));
    const { level, format } = config.log;
    // What makes lines readable takes 30 ms to load, which a service does not need.
    const pretty = format === "pretty" || (format === "auto" && process.stdout.isTTY);
    const { createLog } = await (pretty ? import("./pretty-log") : import("./json-log"));
    const written = createLog({ level });
    const log = createThrottledLog(written, systemClock);
    const setLogLevel = (next: LogLevel) => {
      written.level = next;
    };
    const reload = { requests, load: () => loadConfig(file === undefined ? {} : { file }), setLogLevel };
    const code = await serve(config, { log, directory, signalled: waitForSignal(), reload });
    log.flush();
    process.exit(code);
  });

program
  .command("demo")
  .description("show the main job in this terminal, without a LiveKit or a SIP carrier")
  .action(async () => {
    const { runDemo } = await import("./demo/run-demo");
    process.exit(await runDemo());
  });

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
