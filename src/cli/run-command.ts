import { choosePaint } from "../demo/paint";
import { CommandError } from "./command-error";
import { EXIT, type ExitCode } from "./exit-code";
import { createOutput, type Output } from "./output";

/** What every command takes; `jsonCommand` adds it. */
export type OutputFlags = { readonly json?: true | undefined };

/**
 * Runs what a command does with an output as its flags say, tells what went wrong, and leaves the process its exit code.
 * A `CommandError` is shown as its message and hint; anything else is a fault of ours and keeps its stack.
 */
export async function runCommand(
  flags: OutputFlags,
  run: (output: Output) => ExitCode | undefined | Promise<ExitCode | undefined>,
): Promise<void> {
  const output = createOutput({ json: flags.json === true });
  // `sayna-sip calls list | head`: nobody reads on, which is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) =>
    process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.failed),
  );
  try {
    process.exitCode = (await run(output)) ?? EXIT.ok;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (output.json) output.answer(error.json, () => "");
    const paint = choosePaint(process.stderr, process.env);
    output.note(`${paint("red", "error:")} ${error.message}${error.hint === undefined ? "" : `\n${error.hint}`}`);
    process.exitCode = error.exitCode;
  }
}
