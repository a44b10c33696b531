import { ROOT } from "./markdown-page";

/** What `--help` says of a command. */
export type CommandHelp = {
  readonly commands: readonly string[];
  /** By each of its names; whether a value follows. */
  readonly options: ReadonlyMap<string, boolean>;
  /** How many arguments it needs, and how many it takes. */
  readonly needs: number;
  readonly takes: number;
};

const known = new Map<string, Promise<CommandHelp>>();

/** The help of the program, or of one of its commands, as a user reads it. */
export function helpOf(path: readonly string[]): Promise<CommandHelp> {
  const key = path.join(" ");
  const found = known.get(key) ?? readHelp(path);
  known.set(key, found);
  return found;
}

async function readHelp(path: readonly string[]): Promise<CommandHelp> {
  const child = Bun.spawn([process.execPath, "src/main.ts", ...path, "--help"], {
    cwd: ROOT,
    stdout: "pipe",
    stderr: "ignore",
  });
  const text = await new Response(child.stdout).text();
  const usage = /^Usage: (.*)$/m.exec(text)?.[1] ?? "";
  const args = [
    ...usage
      .replace("[options]", "")
      .replace("[command]", "")
      .matchAll(/<([^>]+)>|\[([^\]]+)\]/g),
  ];
  const isRepeated = args.some(([all]) => all.includes("..."));
  return {
    commands: entriesOf(text, "Commands").map((entry) => /^[\w-]+/.exec(entry)?.[0] ?? ""),
    options: new Map(
      entriesOf(text, "Options").flatMap((entry) => {
        const head = entry.split(/ {2,}/)[0] ?? "";
        return [...head.matchAll(/--?[\w-]+/g)].map(([name]) => [name, /[<[]/.test(head)] as const);
      }),
    ),
    needs: args.filter(([, required]) => required !== undefined).length,
    takes: isRepeated ? Infinity : args.length,
  };
}

/** The lines below a heading of the help that begin an entry. */
function entriesOf(text: string, heading: string): string[] {
  const [, block = ""] = new RegExp(`^${heading}:\\n((?: .*\\n?)*)`, "m").exec(text) ?? [];
  return block
    .split("\n")
    .filter((line) => /^ {2}\S/.test(line))
    .map((line) => line.trim());
}
