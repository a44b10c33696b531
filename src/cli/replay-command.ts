import { runCommand } from "./run-command";
import { connect, serviceCommand } from "./service-options";

/** `sayna-sip replay`: sends again. */
export function replayCommand() {
  return serviceCommand("replay")
    .description("send again what did not arrive, of a call, a hook or a time, or the calls that found no hook")
    .option("--call <room-sid>", "of this call")
    .option("--hook <host>", "to this hook; with --unmatched: only calls that get it")
    .option("--since <time>", "from this time on: RFC 3339, or so long ago, such as 2h")
    .option("--until <time>", "before this time")
    .option("--states <states>", "dead, expired, cancelled, delivered, with commas; the first three without it")
    .option("--unmatched", "calls that found no hook: they go to the hooks of now")
    .option("--room <name>", "with --unmatched: of this room")
    .option("--dry-run", "only say how many would be sent")
    .addHelpText(
      "after",
      "\nExamples:\n" +
        "  sayna-sip replay --hook tenant-a.example.com --since 6h --dry-run\n" +
        "  sayna-sip replay --call RM_3TCyT7wmZNFk\n" +
        "  sayna-sip replay --unmatched --hook new.example.com --since 24h",
    )
    .action((flags) =>
      runCommand(flags, async (output) => (await import("./replay/replay")).replay(connect(flags), output, flags)),
    );
}
