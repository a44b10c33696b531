import type { Bench } from "./bench";

/** Numbers of one round, by a name that says whose and what they are. */
export type Raw = Readonly<Record<string, number>>;

/** A number that is shown, with what it should be. */
export type Figure = {
  readonly name: string;
  readonly value: number;
  /** Behind the number; a ratio has none. */
  readonly unit?: string;
  readonly atLeast?: number;
  readonly atMost?: number;
};

/** Something that is measured: `round` takes every subject once, in turn, and `figures` are made of the medians of the rounds. */
export type Measure = {
  readonly name: string;
  /** Rounds, when it needs other ones than the rest. */
  readonly rounds?: number;
  round(bench: Bench): Promise<Raw>;
  /** Removes what the rounds shared. */
  end?(): Promise<void>;
  figures(median: (name: string) => number): readonly Figure[];
};

export function isMet({ value, atLeast = -Infinity, atMost = Infinity }: Figure): boolean {
  return value >= atLeast && value <= atMost;
}
