import { choosePaint, type Paint } from "../demo/paint";

/** A stream of the process, or a test's. */
export type OutputStream = {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
};

export type OutputOptions = {
  /** `--json`: stdout gets JSON only. */
  readonly json: boolean;
  readonly stdout?: OutputStream;
  readonly stderr?: OutputStream;
  readonly env?: NodeJS.ProcessEnv;
};

/** Where a command's answer goes (stdout), and what it says meanwhile (stderr). */
export type Output = {
  readonly json: boolean;
  /** For what goes to stdout. */
  readonly paint: Paint;
  /** Of the terminal; 100 where there is none, or it does not say. */
  readonly columns: number;
  /** The answer: one JSON document with `--json`, else the lines that `show` makes. */
  readonly answer: (document: unknown, show: (paint: Paint) => string | readonly string[]) => void;
  /** One of many answers, as they come: a JSON line each with `--json`. */
  readonly next: (document: unknown, show: (paint: Paint) => string | readonly string[]) => void;
  /** For people, to stderr, with `--json` too: it is no part of the answer. */
  readonly note: (text: string) => void;
  /** Overwrites the line before, on a terminal only; `undefined` removes it. For long work. */
  readonly progress: (text: string | undefined) => void;
};

const DEFAULT_COLUMNS = 100;

/** A command's output. What it prints of others (headers, answers, names) goes through `visible` first. */
export function createOutput({ json, ...streams }: OutputOptions): Output {
  const { stdout = process.stdout, stderr = process.stderr, env = process.env } = streams;
  const paint = choosePaint(stdout, env);
  let progressShown = false;

  function progress(text: string | undefined): void {
    if (stderr.isTTY !== true || (text === undefined && !progressShown)) return;
    progressShown = text !== undefined;
    // Back to the line's beginning, and away with what was there.
    stderr.write(`\r\u001b[2K${(text ?? "").slice(0, (stderr.columns ?? DEFAULT_COLUMNS) - 1)}`);
  }

  function print(text: string): void {
    progress(undefined);
    stdout.write(text);
  }

  const lines = (shown: string | readonly string[]): string => (typeof shown === "string" ? [shown] : shown).join("\n");

  return {
    json,
    paint,
    columns: stdout.columns ?? DEFAULT_COLUMNS,
    answer: (document, show) => print(`${json ? JSON.stringify(document, null, 2) : lines(show(paint))}\n`),
    next: (document, show) => print(`${json ? JSON.stringify(document) : lines(show(paint))}\n`),
    note: (text) => {
      progress(undefined);
      stderr.write(`${text}\n`);
    },
    progress,
  };
}
