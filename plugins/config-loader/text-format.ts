import { FormatRegistry, type TSchema } from "@sinclair/typebox";

export type Refusal = { readonly message: string; readonly hint: string };

/** What a text must look like beyond being a text. */
export type TextFormat = {
  /** Completes "must be …", for a value that is no text at all. */
  readonly expects: string;
  /**
   * What is wrong with `text`, or undefined. The message repeats the text only when it cannot be a secret.
   *
   * @param name the value's name in the configuration: `sip.hooks[0].url`
   */
  refuse(text: string, name: string): Refusal | undefined;
};

const formats = new Map<string, TextFormat>();

/**
 * Makes a format known to TypeBox, and returns its name for `Type.String({ format })`. TypeBox's registry is one for the
 * process and Elysia fills it too (`duration` is ISO 8601 there): hence a prefix of our own.
 */
export function textFormat(name: string, format: TextFormat): string {
  const id = `sayna-sip:${name}`;
  formats.set(id, format);
  FormatRegistry.Set(id, (text) => format.refuse(text, "") === undefined);
  return id;
}

/** The format that a schema's texts must have. */
export function formatOf(schema: TSchema): TextFormat | undefined {
  const name: unknown = schema["format"];
  return typeof name === "string" ? formats.get(name) : undefined;
}
