import { Command } from "@commander-js/extra-typings";
import { runCommand } from "./run-command";
import { connect, serviceCommand } from "./service-options";

/** `sayna-sip hooks …`: the forwarding table of a running service. */
export function hooksCommand() {
  return new Command("hooks")
    .description("read and change the forwarding table of a running service")
    .addCommand(list());
}

function list() {
  return serviceCommand("list")
    .description("list the hooks: host, tenant, URL, where each comes from and how it does")
    .addHelpText("after", "\nExamples:\n  sayna-sip hooks list\n  sayna-sip hooks list --json")
    .action((flags) =>
      runCommand(flags, async (output) => {
        const { listHooks } = await import("./hooks/list-hooks");
        await listHooks(connect(flags), output);
        return undefined;
      }),
    );
}
