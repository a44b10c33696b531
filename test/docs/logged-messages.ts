import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./guide";

export type LoggedMessage = {
  readonly file: string;
  /** As in the source, with … in the place of what is put in. */
  readonly message: string;
};

const FILES = new Bun.Glob("{src,plugins}/**/*.ts");
/** What is no part of the service: its demo, and what tests of plugins are made of. */
const OTHERS = /^src\/(demo|testing|contracts\/testing)\//;
/** A call of a logger at warn, at error, or at a level that is chosen there. */
const CALL = /(?:\blog|#log|\blogger|#logger|\.log)(?:\.(?:warn|error)|\[[\w.]+\])\(/g;
const LITERAL = /^"((?:[^"\\]|\\.)*)"$/;

/** The messages that stand in the calls themselves, and the files in which some are made otherwise. */
export function loggedMessages(): {
  readonly messages: readonly LoggedMessage[];
  readonly elsewhere: readonly string[];
} {
  const messages: LoggedMessage[] = [];
  const elsewhere = new Set<string>();
  for (const file of [...FILES.scanSync(ROOT)].filter((name) => !OTHERS.test(name)).toSorted()) {
    const source = readSource(file);
    for (const call of source.matchAll(CALL)) {
      const [, text = ""] = argumentsFrom(source, call.index + call[0].length);
      const literal = LITERAL.exec(text);
      if (literal === null) elsewhere.add(file);
      else messages.push({ file, message: literal[1] ?? "" });
    }
  }
  return { messages, elsewhere: [...elsewhere] };
}

/** The sentences that stand anywhere in a file: what begins with a capital letter and has some words. */
export function sentencesIn(file: string): readonly string[] {
  const texts = [...readSource(file).matchAll(/"((?:[^"\\\n]|\\.)*)"/g)].map(([, text = ""]) => text);
  return texts.filter((text) => /^[A-Z][^ ]* .* /.test(text) && text.length > 25);
}

/** Without comments, with texts that go on over lines put together, and … for what is put into them. */
function readSource(file: string): string {
  return readFileSync(join(ROOT, file), "utf8")
    .replaceAll(/^\s*(\/\/|\/?\*).*$/gm, "")
    .replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, "…")
    .replaceAll(/`([^`]*)`/g, (_, text: string) => `"${text.replaceAll('"', String.raw`\"`)}"`)
    .replaceAll(/"\s*\+\s*"/g, "");
}

/** The arguments of a call whose bracket opens before `start`. */
function argumentsFrom(source: string, start: number): string[] {
  const found: string[] = [];
  let depth = 0;
  let begin = start;
  for (let i = start; i < source.length; i++) {
    const char = source[i] ?? "";
    if (char === '"') {
      i = endOfText(source, i);
    } else if ("([{".includes(char)) {
      depth++;
    } else if (depth === 0 && (char === "," || char === ")")) {
      found.push(source.slice(begin, i).trim());
      if (char === ")") break;
      begin = i + 1;
    } else if (")]}".includes(char)) {
      depth--;
    }
  }
  return found;
}

function endOfText(source: string, start: number): number {
  let i = start + 1;
  while (i < source.length && source[i] !== '"') i += source[i] === "\\" ? 2 : 1;
  return i;
}
