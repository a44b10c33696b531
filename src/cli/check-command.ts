import { configCommand } from "./config-options";
import { runCommand } from "./run-command";

/** `sayna-sip check`: the configuration alone. */
export function checkCommand() {
  return configCommand("check")
    .description("check the configuration, its plugins' options included; nothing is asked, opened or started")
    .addHelpText("after", "\nExamples:\n  sayna-sip check --config sayna-sip.yaml\n  sayna-sip check --json")
    .action((flags) =>
      runCommand(flags, async (output) => {
        const { checkConfig } = await import("./check/check-config");
        return checkConfig(flags, output);
      }),
    );
}
