import { INSTANT_PATTERN } from "../../src/domain/instant";

type Schema = Readonly<Record<string, unknown>>;
type Found = { readonly message?: string; readonly schema?: Schema };

/**
 * What a schema expected, in words. TypeBox's own words do, but for a choice, of which it only says that it is one, and for a pattern. Elysia's
 * summaries would not do: some repeat the value.
 */
export function expectation({ message = "Not valid", schema = {} }: Found): string {
  if (schema["pattern"] === INSTANT_PATTERN) return "Expected a time such as 2026-11-21T22:50:00Z";
  if (isPattern(schema, message)) return byExample(schema);
  if (Array.isArray(schema["enum"])) return `Expected ${choice(schema["enum"].map((value) => JSON.stringify(value)))}`;
  if (Array.isArray(schema["anyOf"])) return `Expected ${choice(schema["anyOf"].map(nameOf))}`;
  return message;
}

/** What is wrong is that it does not match the pattern; TypeBox says nothing but the pattern then. */
const isPattern = ({ pattern, examples, description }: Schema, message: string): boolean =>
  typeof pattern === "string" &&
  message.includes(pattern) &&
  Array.isArray(examples) &&
  typeof description === "string";

function byExample({ examples, description }: Schema): string {
  return `Expected a text such as ${String(Array.isArray(examples) ? examples[0] : "")}: ${String(description)}`;
}

/** `t.Integer()` and its like are a choice between the number and its text, with the text's form as `format`. */
function nameOf(schema: unknown): string {
  if (typeof schema !== "object" || schema === null) return "another form";
  if ("const" in schema) return JSON.stringify(schema.const);
  if ("anyOf" in schema && Array.isArray(schema.anyOf)) return choice(schema.anyOf.map(nameOf));
  if ("format" in schema && typeof schema.format === "string") return schema.format;
  return "type" in schema && typeof schema.type === "string" ? schema.type : "another form";
}

function choice(names: readonly string[]): string {
  return [...new Set(names)].join(" or ");
}
