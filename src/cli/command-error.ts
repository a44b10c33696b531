import { EXIT, type ExitCode } from "./exit-code";

export type CommandErrorOptions = {
  /** What to do, on a line of its own. */
  readonly hint?: string;
  readonly exitCode?: ExitCode;
  /** What `--json` prints: the API's error as it came, else one made of the message. */
  readonly json?: unknown;
};

/** Ends a command. The message says what is wrong and where it came from. */
export class CommandError extends Error {
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;
  readonly json: unknown;

  constructor(message: string, { hint, exitCode = EXIT.failed, json }: CommandErrorOptions = {}) {
    super(message);
    this.name = "CommandError";
    this.hint = hint;
    this.exitCode = exitCode;
    this.json = json ?? {
      error: { code: exitCode === EXIT.misused ? "usage" : "failed", message, ...(hint === undefined ? {} : { hint }) },
    };
  }
}

/** The command was used wrongly: exit code 2. */
export const misuse = (message: string, hint?: string): CommandError =>
  new CommandError(message, { exitCode: EXIT.misused, ...(hint === undefined ? {} : { hint }) });
