import { readPage, ROOT } from "../docs/markdown-page";

export { ROOT };

/** The README's text, and its code blocks. */
export const { text: README, blocks: CODE_BLOCKS } = readPage("README.md");

/** The text with blanks in the place of code blocks, where `#` begins a comment and no heading. */
export const PROSE = README.replaceAll(/^```[^]*?^```$/gm, (block) => block.replaceAll(/[^\n]/g, " "));

/** The content of the one code block of this name. */
export function codeBlock(name: string): string {
  const [found, ...others] = CODE_BLOCKS.filter((block) => block.name === name);
  if (found === undefined || others.length > 0) throw new Error(`the README has not just one code block "${name}"`);
  return found.content;
}

/** The text below the heading of this title, down to the next heading of its level or above. */
export function section(title: string): string {
  const headings = [...PROSE.matchAll(/^(#+) (.*)$/gm)];
  const start = headings.findIndex(([, , text]) => text === title);
  const level = headings[start]?.[1]?.length;
  if (level === undefined) throw new Error(`the README has no heading "${title}"`);
  const end = headings.slice(start + 1).find(([, marks = ""]) => marks.length <= level);
  return README.slice(headings[start]?.index, end?.index);
}

/** The cells of the text's tables, without their heads. */
export function tableRows(text: string): readonly (readonly string[])[] {
  const tables = text.match(/(^\|.*\n)+/gm) ?? [];
  return tables.flatMap((table) => table.trim().split("\n").slice(2).map(cellsOf));
}

function cellsOf(line: string): string[] {
  return line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** What stands in back-ticks in the text. */
export function quoted(text: string): readonly string[] {
  return [...text.matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map(([, code = ""]) => code);
}
