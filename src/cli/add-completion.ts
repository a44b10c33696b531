import tab from "@bomb.sh/tab/commander";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";

/**
 * Adds `completion <shell>`, which prints a shell's script, and the hidden `complete`, which the script asks at each key. To be
 * called when every other command is there: what it completes is what it finds now.
 */
export function addCompletion(program: CommandUnknownOpts): void {
  // The typings alone differ: what extra-typings makes is a Command of commander.
  tab(program as unknown as Parameters<typeof tab>[0], { completionCommandName: "completion" });
  program.commands
    .find((command) => command.name() === "completion")
    ?.description("print a script that completes commands and options in your shell")
    .addHelpText(
      "after",
      "\nExamples:\n" +
        "  source <(sayna-sip completion bash)\n" +
        '  sayna-sip completion zsh > "${fpath[1]}/_sayna-sip"\n' +
        "  sayna-sip completion fish > ~/.config/fish/completions/sayna-sip.fish",
    );
}
