import { configCommand } from "./config-options";
import { runCommand } from "./run-command";

const EXAMPLES = `
Examples:
  systemctl stop sayna-sip
  sayna-sip restore --config sayna-sip.yaml /var/backups/sayna-sip.db
  systemctl start sayna-sip`;

/** `sayna-sip restore`. */
export function restoreCommand() {
  return configCommand("restore")
    .description("put a backup in the place of the database, which is kept beside it; the service must be stopped")
    .argument("<file>", "what sayna-sip backup made")
    .addHelpText("after", EXAMPLES)
    .action((file, flags) =>
      runCommand(flags, async (output) => {
        const { restore } = await import("./backup/restore");
        restore(file, flags, output);
        return undefined;
      }),
    );
}
