import { PAGES, readPage } from "./markdown-page";

/** A line of the documentation that runs this program. */
export type DocumentedCommand = {
  readonly page: string;
  /** As it is written, without what its output is sent to. */
  readonly line: string;
  /** What stands behind the program's name. */
  readonly words: readonly string[];
  /** In a code block it is to be run as it stands; inside the text arguments may be left out. */
  readonly isWhole: boolean;
};

const NAMES = [/^sayna-sip(?= |$)/, /^bun src\/main\.ts(?= |$)/];

/** Every command of this program that a page shows: in code blocks of a shell, and in back-ticks. */
export function documentedCommands(): readonly DocumentedCommand[] {
  return PAGES.map(readPage).flatMap(({ path, blocks, quoted }) => [
    ...blocks.filter(({ language }) => language === "sh").flatMap(({ content }) => commandsIn(path, content, true)),
    ...quoted.flatMap((text) => commandsIn(path, text, false)),
  ]);
}

function commandsIn(page: string, shell: string, isWhole: boolean): DocumentedCommand[] {
  const lines = shell.replaceAll(/\\\n\s*/g, " ").split("\n");
  return lines.flatMap((text) => {
    // Settings in front of the command, and what its output is sent to.
    const line = text
      .trim()
      .replace(/^(?:[A-Z_]+=(?:"[^"]*"|\S*) +)+/, "")
      .replace(/ +(?:>|\||&|2>).*$/, "");
    const name = NAMES.find((pattern) => pattern.test(line));
    if (name === undefined || line === "sayna-sip") return [];
    return [{ page, line, words: wordsOf(line.replace(name, "")), isWhole }];
  });
}

function wordsOf(text: string): string[] {
  return [...text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? "",
  );
}
