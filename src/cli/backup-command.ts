import { configCommand } from "./config-options";
import { runCommand } from "./run-command";

const EXAMPLES = `
Examples:
  sayna-sip backup --config sayna-sip.yaml /var/backups/sayna-sip.db
  DATA_DIR=/var/lib/sayna-sip sayna-sip backup "sayna-sip-$(date +%F).db"`;

/** `sayna-sip backup`. */
export function backupCommand() {
  return configCommand("backup")
    .description("copy the database into a file, while the service runs or not")
    .argument("<file>", "a new file, which only its owner may read")
    .addHelpText("after", EXAMPLES)
    .action((file, flags) =>
      runCommand(flags, async (output) => {
        const { backUp } = await import("./backup/back-up");
        backUp(file, flags, output);
        return undefined;
      }),
    );
}
