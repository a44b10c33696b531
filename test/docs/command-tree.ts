import { ROOT } from "./markdown-page";

/** A command of the program, and those below it. */
export type CommandNode = {
  readonly name: string;
  readonly commands: readonly CommandNode[];
  readonly options: readonly { readonly name: string; readonly hasValue: boolean }[];
  /** How many arguments it needs, and how many it takes: null for as many as there are. */
  readonly needs: number;
  readonly takes: number | null;
};

/** The commands of src/main.ts as it is: all that it adds, however it adds them. */
export async function readCommandTree(): Promise<CommandNode> {
  const child = Bun.spawn([process.execPath, "--preload", "./test/docs/print-command-tree.ts", "src/main.ts"], {
    cwd: ROOT,
    stdout: "pipe",
    stderr: "inherit",
  });
  return JSON.parse(await new Response(child.stdout).text()) as CommandNode;
}

/** The command that these words name, and the words behind its name. */
export function findCommand(
  from: CommandNode,
  words: readonly string[],
): { readonly command: CommandNode; readonly rest: readonly string[] } {
  const below = from.commands.find(({ name }) => name === words[0]);
  return below === undefined ? { command: from, rest: words } : findCommand(below, words.slice(1));
}
