import { readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dir, "../..");

export type CodeBlock = {
  readonly language: string;
  /** What stands behind the language: a file's name, mostly. */
  readonly name: string;
  readonly content: string;
};

export type Heading = { readonly level: number; readonly title: string; readonly anchor: string };

/** A Markdown file of the repository, as GitHub shows it. */
export type MarkdownPage = {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
  readonly headings: readonly Heading[];
  /** The targets of its links. */
  readonly links: readonly string[];
  readonly blocks: readonly CodeBlock[];
  /** What stands in back-ticks inside the text. */
  readonly quoted: readonly string[];
};

/** Every Markdown file that is the product's own. */
export const PAGES: readonly string[] = [...new Bun.Glob("**/*.md").scanSync(ROOT)]
  .filter((path) => !/(^|\/)(node_modules|data|coverage)\//.test(path))
  .toSorted();

export function readPage(path: string): MarkdownPage {
  const text = readFileSync(join(ROOT, path), "utf8");
  // In a code block `#` begins a comment and no heading.
  const prose = text.replaceAll(/^( *)```[^]*?^\1```$/gm, "");
  const headings = [...prose.matchAll(/^(#+) (.*)$/gm)].map(([, marks = "", title = ""]) => ({
    level: marks.length,
    title,
    anchor: anchorOf(title),
  }));
  return {
    path,
    text,
    headings,
    links: [...prose.matchAll(/\]\(([^)\s]*)\)/g)].map(([, target = ""]) => target),
    blocks: [...text.matchAll(/^( *)```(\w+) ?(.*)\n([^]*?)^\1```$/gm)].map(
      ([, indent = "", language = "", name = "", content = ""]) => ({
        language,
        name,
        content: content.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
      }),
    ),
    quoted: [...prose.matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map(([, code = ""]) => code),
  };
}

/** As GitHub makes it. */
export function anchorOf(title: string): string {
  return title
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}
