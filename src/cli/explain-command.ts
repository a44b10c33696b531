import { runCommand } from "./run-command";
import { connect, serviceCommand } from "./service-options";

/** `sayna-sip explain`: where a call or an event would go. */
export function explainCommand() {
  return serviceCommand("explain")
    .description("explain where a call or an event would go, and why; exit code 1 when it goes to no hook")
    .argument("<question>", "a To header, a called host, or a file with a webhook of LiveKit; - is the standard input")
    .addHelpText(
      "after",
      "\nExamples:\n" +
        "  sayna-sip explain '<sip:+15557654321@tenant-a.example.com>'\n" +
        "  sayna-sip explain tenant-a.example.com\n" +
        "  sayna-sip explain event.json",
    )
    .action((question, flags) =>
      runCommand(flags, async (output) =>
        (await import("./explain/explain")).explain(connect(flags), output, question),
      ),
    );
}
