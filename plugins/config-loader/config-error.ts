/** One thing that is wrong with a configuration. None of the texts ever holds a secret's value. */
export type ConfigProblem = {
  /** What is wrong. */
  readonly message: string;
  /** Where it was read from: `file:line:column`, `file`, or a variable's name. */
  readonly source: string;
  /** What to do about it. */
  readonly hint: string;
};

/** Everything that is wrong with a configuration, in the order of the file's lines, then of the variables' names. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const ordered = problems.toSorted((a, b) => bySource.compare(a.source, b.source));
    const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
    super([`The configuration has ${count}:`, ...ordered.map(asLine)].join("\n"));
    this.name = "ConfigError";
    this.problems = ordered;
  }
}

/** Numeric, so that line 10 comes after line 9. */
const bySource = new Intl.Collator("en", { numeric: true });

const asLine = ({ message, source, hint }: ConfigProblem): string => `  ${source}: ${message}\n    ${hint}`;
