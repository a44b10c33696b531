import { configCommand } from "./config-options";
import { runCommand } from "./run-command";

const EXAMPLES = `
Examples:
  sayna-sip provision --config sayna-sip.yaml --dry-run
  sayna-sip provision --config sayna-sip.yaml`;

/** `sayna-sip provision`: LiveKit's trunk and dispatch rule, without a service. */
export function provisionCommand() {
  return configCommand("provision")
    .description("make LiveKit's SIP trunk and dispatch rule as configured, as a start of the service does")
    .option("--dry-run", "only show what would be created or changed")
    .addHelpText("after", EXAMPLES)
    .action((flags) =>
      runCommand(flags, async (output) => {
        const { provisionLiveKit } = await import("./provision/provision-livekit");
        return provisionLiveKit(flags, output);
      }),
    );
}
