import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { temporaryDirectory } from "../support/server-process";

export const ROOT = join(import.meta.dir, "../..");

/** A page of docs/, and a directory made by it: its named code blocks as files, and sayna-sip as `bun link` puts it there. */
export class Guide {
  private constructor(
    readonly text: string,
    readonly directory: string,
    readonly remove: () => Promise<void>,
  ) {}

  static async open(page: string): Promise<Guide> {
    const text = await readFile(join(ROOT, "docs", page), "utf8");
    const directory = await temporaryDirectory();
    const guide = new Guide(text, directory.path, directory.remove);
    for (const [name, content] of guide.blocks) {
      await mkdir(dirname(join(directory.path, name)), { recursive: true });
      await writeFile(join(directory.path, name), content);
    }
    await writeFile(join(directory.path, "tsconfig.json"), JSON.stringify(TSCONFIG));
    await mkdir(join(directory.path, "node_modules"));
    await symlink(ROOT, join(directory.path, "node_modules/sayna-sip"));
    return guide;
  }

  /** The code blocks that have a file's name. */
  get blocks(): ReadonlyMap<string, string> {
    const named = [...this.text.matchAll(/^```\w+ (\S+)\n([^]*?)^```$/gm)];
    return new Map(named.map(([, name = "", content = ""]) => [name, content]));
  }

  block(name: string): string {
    const content = this.blocks.get(name);
    if (content === undefined) throw new Error(`there is no code block ${name}`);
    return content;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Runs a command there as a reader would; what it wrote, and its exit code. */
  async run(...command: readonly string[]): Promise<{ readonly output: string; readonly code: number }> {
    const child = Bun.spawn([process.execPath, ...command], { cwd: this.directory, stdout: "pipe", stderr: "pipe" });
    const texts = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    return { output: texts.join(""), code: await child.exited };
  }
}

/** What `bun init` writes (1.4.5), and where the types of Bun are found here. */
const TSCONFIG = {
  compilerOptions: {
    lib: ["ESNext"],
    target: "ESNext",
    module: "Preserve",
    moduleDetection: "force",
    jsx: "react-jsx",
    allowJs: true,
    moduleResolution: "bundler",
    allowImportingTsExtensions: true,
    verbatimModuleSyntax: true,
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    noFallthroughCasesInSwitch: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
    types: ["bun"],
    typeRoots: [join(ROOT, "node_modules/@types")],
  },
};
