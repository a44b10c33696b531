/**
 * Control characters, and those that turn the writing direction: a caller writes the To header, a receiver its answer, and
 * neither may move the cursor of the terminal that shows them, or make a line read as another one.
 */
const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** The text on one line, with everything that a terminal would act on shown as `\u{1b}`. */
export function visible(text: string): string {
  return text.replaceAll(UNSEEN, (character) => {
    if (character === "\n") return String.raw`\n`;
    return String.raw`\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
