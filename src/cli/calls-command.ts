import { Command, Option } from "@commander-js/extra-typings";
import { readCount } from "./read-count";
import { runCommand } from "./run-command";
import { connect, serviceCommand } from "./service-options";

/** `sayna-sip calls …`: what happened to calls, and what happens. */
export function callsCommand() {
  return new Command("calls")
    .description("what happened to calls, and what happens")
    .addCommand(list())
    .addCommand(show())
    .addCommand(follow());
}

function list() {
  return serviceCommand("list")
    .description("list calls, the newest first; all filters given must fit")
    .option("--since <time>", "that began from this time on: RFC 3339, or so long ago, such as 2h")
    .option("--until <time>", "that began before this time")
    .option("--caller <number>", "the caller's number")
    .option("--callee <number>", "the called number")
    .option("--sip-call-id <id>", "the SIP Call-ID")
    .option("--room <name>", "the room's name")
    .option("--hook <host>", "a hook that the call has")
    .addOption(new Option("--state <state>", "only those").choices(["active", "finished"] as const))
    .option("--limit <count>", "how many at most", readCount, 50)
    .addHelpText(
      "after",
      "\nExamples:\n  sayna-sip calls list --since 1h\n  sayna-sip calls list --callee +15557654321 --state finished --json",
    )
    .action((flags) =>
      runCommand(flags, async (output) =>
        (await import("./calls/list-calls")).listCalls(connect(flags), output, flags),
      ),
    );
}

function show() {
  return serviceCommand("show")
    .description("draw a call's timeline: LiveKit's events, ours, each tenant's attempts, waits and gaps")
    .argument("<room-sid>", "the sid of the call's room, as `calls list` shows it")
    .addHelpText("after", "\nExamples:\n  sayna-sip calls show RM_3TCyT7wmZNFk")
    .action((roomSid, flags) =>
      runCommand(flags, async (output) =>
        (await import("./calls/show-call")).showCall(connect(flags), output, roomSid),
      ),
    );
}

function follow() {
  return serviceCommand("follow")
    .description("print what happens to calls as it happens, until Ctrl-C; of one call until it is over")
    .argument("[room-sid]", "only this call, from its beginning on")
    .option("--hook <host>", "only calls that have this hook")
    .option("--interval <seconds>", "how often to ask", readCount, 2)
    .addHelpText(
      "after",
      "\nWith --json each line is a JSON object.\n\nExamples:\n  sayna-sip calls follow\n  sayna-sip calls follow RM_3TCyT7wmZNFk",
    )
    .action((roomSid, flags) =>
      runCommand(flags, async (output) => {
        const ended = new AbortController();
        for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => ended.abort());
        const { followCalls } = await import("./calls/follow-calls");
        const { hook, interval } = flags;
        return followCalls(connect(flags, ended), output, {
          roomSid,
          hook,
          intervalMs: interval * 1000,
          signal: ended.signal,
        });
      }),
    );
}
