import { styleText } from "node:util";

export type Colour = Parameters<typeof styleText>[0];
/** Colours a text, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string;

/** Colours for a terminal, unless the user wants none (no-color.org); files and pipes get plain text. */
export function choosePaint(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): Paint {
  const noColour = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  if (stream.isTTY !== true || noColour) return (_, text) => text;
  return (colour, text) => styleText(colour, text, { validateStream: false });
}
