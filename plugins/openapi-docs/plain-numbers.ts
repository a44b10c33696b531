import { isJsonObject } from "../../src/domain/json";

/** The formats by which Elysia marks the text of a number or a boolean: `t.Integer()`, `t.Numeric()`, `t.BooleanString()`. */
const AS_TEXT: ReadonlySet<unknown> = new Set(["integer", "numeric", "boolean"]);

/**
 * The document with numbers and booleans in the place of Elysia's choice between them and their text
 * (`anyOf: [{type: string, format: integer}, {type: integer}]`). In a query or a path all is text anyway, and an answer never
 * has the text; a client made of the document would have `string | number`.
 */
export function plainNumbers(document: unknown): unknown {
  if (Array.isArray(document)) return document.map(plainNumbers);
  if (!isJsonObject(document)) return document;
  const { anyOf, ...rest } = document;
  if (!Array.isArray(anyOf)) return mapMembers(document);
  const forms = anyOf.filter((form) => !isText(form));
  if (forms.length === 0 || forms.length === anyOf.length) return mapMembers(document);
  const [only] = forms;
  return mapMembers(forms.length === 1 && isJsonObject(only) ? { ...rest, ...only } : { ...rest, anyOf: forms });
}

const isText = (form: unknown): boolean =>
  isJsonObject(form) && form["type"] === "string" && AS_TEXT.has(form["format"]);

function mapMembers(members: object): object {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, plainNumbers(value)]));
}
