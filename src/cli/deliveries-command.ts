import { Command } from "@commander-js/extra-typings";
import { readCount } from "./read-count";
import { runCommand } from "./run-command";
import { connect, serviceCommand } from "./service-options";

/** `sayna-sip deliveries …`: what was sent to hooks, and what did not arrive. */
export function deliveriesCommand() {
  return new Command("deliveries")
    .description("what was sent to hooks, and what did not arrive")
    .addCommand(list())
    .addCommand(show())
    .addCommand(replay())
    .addCommand(cancel());
}

function list() {
  return serviceCommand("list")
    .description("list deliveries, the newest first; all filters given must fit")
    .option("--state <states>", "pending, delivered, dead, expired, cancelled: one or more, with commas")
    .option("--failed", "what ended without arriving: --state dead,expired,cancelled")
    .option("--hook <host>", "to this hook, also one that is gone")
    .option("--auth-id <id>", "to this tenant's hooks")
    .option("--room <name>", "of this room")
    .option("--call <room-sid>", "of this call")
    .option("--event <name>", "LiveKit's event name")
    .option("--since <time>", "made from this time on: RFC 3339, or so long ago, such as 2h")
    .option("--until <time>", "made before this time")
    .option("--limit <count>", "how many at most", readCount, 50)
    .addHelpText(
      "after",
      "\nExamples:\n  sayna-sip deliveries list --failed --since 24h\n  sayna-sip deliveries list --call RM_3TCyT7wmZNFk --json",
    )
    .action((flags) =>
      runCommand(flags, async (output) =>
        (await import("./deliveries/list-deliveries")).listDeliveries(connect(flags), output, flags),
      ),
    );
}

function show() {
  return serviceCommand("show")
    .description("show a delivery with its attempts; exit code 1 when it has ended without arriving")
    .argument("<id>", "its number", readCount)
    .addHelpText("after", "\nExamples:\n  sayna-sip deliveries show 4711")
    .action((id, flags) =>
      runCommand(flags, async (output) =>
        (await import("./deliveries/show-delivery")).showDelivery(connect(flags), output, id),
      ),
    );
}

function replay() {
  return serviceCommand("replay")
    .description("send deliveries again that have ended; `sayna-sip replay` does it by call, hook or time")
    .argument("<ids...>", "their numbers")
    .option("--dry-run", "only say how many would be sent")
    .addHelpText("after", "\nExamples:\n  sayna-sip deliveries replay 4711 4712")
    .action((ids, flags) =>
      runCommand(flags, async (output) =>
        (await import("./deliveries/replay-deliveries")).replayDeliveries(
          connect(flags),
          output,
          ids,
          flags.dryRun === true,
        ),
      ),
    );
}

function cancel() {
  return serviceCommand("cancel")
    .description("give up what is pending: deliveries, or all of a hook or a call; it can be sent again later")
    .argument("[ids...]", "their numbers")
    .option("--hook <host>", "all that is pending for this hook")
    .option("--call <room-sid>", "all that is pending of this call")
    .addHelpText(
      "after",
      "\nExamples:\n  sayna-sip deliveries cancel 4711\n  sayna-sip deliveries cancel --hook tenant-a.example.com",
    )
    .action((ids, flags) =>
      runCommand(flags, async (output) =>
        (await import("./deliveries/cancel-deliveries")).cancelDeliveries(connect(flags), output, { ids, ...flags }),
      ),
    );
}
