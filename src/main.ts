#!/usr/bin/env bun
import { Command } from "@commander-js/extra-typings";
import packageJson from "../package.json" with { type: "json" };
import { addCompletion } from "./cli/add-completion";
import { backupCommand } from "./cli/backup-command";
import { callsCommand } from "./cli/calls-command";
import { checkCommand } from "./cli/check-command";
import { deliveriesCommand } from "./cli/deliveries-command";
import { doctorCommand } from "./cli/doctor-command";
import { exitWhenMisused } from "./cli/exit-when-misused";
import { explainCommand } from "./cli/explain-command";
import { hooksCommand } from "./cli/hooks-command";
import { keysCommand } from "./cli/keys-command";
import { provisionCommand } from "./cli/provision-command";
import { replayCommand } from "./cli/replay-command";
import { restoreCommand } from "./cli/restore-command";
import { storageCopyCommand } from "./cli/storage-copy-command";
import { nearest } from "./domain/nearest";
import { reloadRequests } from "./reload-requests";

const program = new Command("sayna-sip")
  .description(packageJson.description)
  .version(packageJson.version)
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
    const { runService } = await import("./run-service");
    process.exit(await runService({ file, requests }));
  });

program
  .command("demo")
  .description("show the main job in this terminal, without a LiveKit or a SIP carrier")
  .addHelpText("after", "\nExamples:\n  sayna-sip demo")
  .action(async () => {
    const { runDemo } = await import("./demo/run-demo");
    process.exit(await runDemo());
  });

program
  .addCommand(hooksCommand())
  .addCommand(callsCommand())
  .addCommand(deliveriesCommand())
  .addCommand(replayCommand())
  .addCommand(explainCommand());
program
  .addCommand(checkCommand())
  .addCommand(doctorCommand())
  .addCommand(provisionCommand())
  .addCommand(keysCommand())
  .addCommand(backupCommand())
  .addCommand(restoreCommand())
  .addCommand(new Command("storage").description("work on what is kept").addCommand(storageCopyCommand()));
addCompletion(program);
exitWhenMisused(program);
await program.parseAsync();

function refuseCommand(name: string): never {
  const meant = nearest(
    name,
    program.commands.map((command) => command.name()),
  );
  const hint = meant === undefined ? "A configuration file is named by: serve --config FILE" : `Did you mean ${meant}?`;
  return program.error(`error: there is no command '${name}'\n${hint}`);
}
