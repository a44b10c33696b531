import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./readme";

/** The text of the repository's files that fit, one after the other. */
export const sourceOf = (pattern: string): string =>
  [...new Bun.Glob(pattern).scanSync(ROOT)].map((file) => readFileSync(join(ROOT, file), "utf8")).join("\n");

const source = sourceOf("{src,plugins}/**/*.ts").replaceAll(/["`] \+\s+["`]/g, "");
/** With values put in, as the documentation writes them; of two wordings once with the one, once with the other. */
const written = ["$1", "$2"]
  .map((wording) => source.replaceAll(/\$\{[^{}]* \? "([^"]*)" : "([^"]*)"\}/g, wording))
  .map((text) => text.replaceAll(/\$\{[^{}]*\}/g, "…"))
  .join("\n");

/** Whether the program writes this message; an ellipsis stands for a value. */
export function isWritten(message: string): boolean {
  // Said by the part that knows the resource, and by the one that knows the reason.
  const text = message.replace(/^SIP (trunk|dispatch rule) …/, "SIP … …").replace(/^LiveKit webhook refused: /, "");
  return written.includes(text) || written.includes(text.replaceAll("'…'", "…"));
}
