/**
 * Where a text stops being JSON (RFC 8259), as the offset of the first character that cannot stand there, or the text's
 * length when it ends too early; undefined when it is JSON. The engine's own message has no position, and quotes the
 * text, in which there may be a secret.
 */
export function jsonFault(text: string): number | undefined {
  try {
    const end = space(text, value(text, 0, 0));
    return end === text.length ? undefined : end;
  } catch (error) {
    if (error instanceof Fault) return error.at;
    throw error;
  }
}

class Fault extends Error {
  constructor(readonly at: number) {
    super("not JSON");
  }
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
/** A string up to what ends it: its quotation mark, or the first character that may not be in it. */
// oxlint-disable-next-line no-control-regex -- RFC 8259 section 7 forbids them unescaped
const STRING_START = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y;
/** Deeper than any setting, and shallow enough for the stack. */
const DEEPEST = 100;

const space = (text: string, at: number): number => match(SPACE, text, at) ?? at;

function match(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

/** Each of these returns the offset after what it has read. */
function value(text: string, from: number, depth: number): number {
  const at = space(text, from);
  if (depth > DEEPEST) throw new Fault(at);
  if (text[at] === "{") {
    return members(text, at, "}", (start) => value(text, symbol(text, string(text, start), ":"), depth + 1));
  }
  if (text[at] === "[") return members(text, at, "]", (start) => value(text, start, depth + 1));
  if (text[at] === '"') return string(text, at);
  const end = match(NUMBER, text, at) ?? match(WORD, text, at);
  if (end === undefined) throw new Fault(at);
  return end;
}

function members(text: string, open: number, close: string, member: (at: number) => number): number {
  let at = space(text, open + 1);
  if (text[at] === close) return at + 1;
  for (;;) {
    at = space(text, member(at));
    if (text[at] === close) return at + 1;
    at = symbol(text, at, ",");
  }
}

function string(text: string, from: number): number {
  const at = space(text, from);
  const end = match(STRING_START, text, at);
  if (end === undefined) throw new Fault(at);
  if (text[end] !== '"') throw new Fault(end);
  return end + 1;
}

function symbol(text: string, from: number, wanted: string): number {
  const at = space(text, from);
  if (text[at] !== wanted) throw new Fault(at);
  return at + 1;
}
