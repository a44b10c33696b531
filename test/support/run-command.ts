const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;

export type CommandRun = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

export type RunCommandOptions = { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string };

/** Runs the command line as an operator does. What it reads is not inherited from whoever runs the tests. */
export async function runCommandLine(
  args: readonly string[],
  { env = {}, cwd }: RunCommandOptions = {},
): Promise<CommandRun> {
  const { PATH = "", HOME = "" } = process.env;
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: { PATH, HOME, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}
