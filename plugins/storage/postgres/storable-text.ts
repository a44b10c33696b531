import { createHash } from "node:crypto";

/** UTF-16 units; in UTF-8 at most 1,200 bytes, so that two such texts fit into one index entry (2,704 bytes). */
const LONGEST = 400;

/**
 * A text as it can be written to an indexed column and looked for there: the same for the same text. Whatever LiveKit sends
 * is kept (routing rule 1), and Postgres refuses U+0000, half a character, and index entries above 2,704 bytes; names that long are nobody's,
 * so that a beginning and a digest say enough of them.
 */
export function storableText(text: string): string {
  const short = text.length <= LONGEST ? text : shorten(text);
  return shownText(short);
}

/** A text as it can be written to a column without an index. */
export function shownText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

function shorten(text: string): string {
  return `${text.slice(0, 200)}… ${createHash("sha256").update(text).digest("hex")}`;
}
