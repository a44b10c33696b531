import { KindGuard, type TInteger, type TNumber, type TSchema, type TString } from "@sinclair/typebox";
import { ValueErrorType, type ValueError } from "@sinclair/typebox/errors";
import { Value } from "@sinclair/typebox/value";
import { nearest } from "../../src/domain/nearest";
import { keysOf, label, parentOf } from "./pointer";
import { quote } from "./quote";
import type { Report } from "./report";
import { ConfigSchema } from "./schema";
import { formatOf } from "./text-format";

/** Reports every value that is not what the schema wants: unknown keys, wrong types, and each single value's own rules. */
export function checkShape(tree: unknown, report: Report, schema: TSchema = ConfigSchema): void {
  for (const error of Value.Errors(schema, tree)) {
    const reportError = REPORTERS.get(error.type) ?? reportWrong;
    reportError(error, report);
  }
}

const REPORTERS: ReadonlyMap<ValueErrorType, (error: ValueError, report: Report) => void> = new Map([
  [ValueErrorType.ObjectAdditionalProperties, reportUnknownKey],
  [ValueErrorType.ObjectRequiredProperty, reportMissing],
  [ValueErrorType.StringFormat, reportFormat],
]);

/** Blocks of names and secrets, in which a key that is not known may be a secret itself (`{"ops": "…"}`, turned round). */
const SECRET_BLOCKS = /^\/(auth|livekit)\/|\/credentials\//;

function reportUnknownKey({ path, schema }: ValueError, report: Report): void {
  const key = keysOf(path).pop() ?? "";
  const block = label(parentOf(path) ?? "");
  const known = Object.keys(KindGuard.IsObject(schema) ? schema.properties : {});
  const meant = nearest(key, known);
  const shown = meant !== undefined || (!SECRET_BLOCKS.test(path) && /^[a-z_-]{1,40}$/i.test(key));
  report.add(
    path,
    `Unknown key${shown ? ` ${quote(key)}` : ""}${block === "" ? "" : ` in ${block}`}`,
    meant === undefined ? `Known here: ${known.join(", ")}.` : `Did you mean ${quote(meant)}?`,
  );
}

function reportMissing({ path }: ValueError, report: Report): void {
  if (path !== "/sip/room_prefix") {
    report.addMissing(path, `${label(path)} is missing`, "Add it.");
    return;
  }
  report.addMissing(
    path,
    "SIP room_prefix is required when SIP configuration is present",
    "Set SIP_ROOM_PREFIX or sip.room_prefix; or remove the sip block and every SIP_ variable to switch SIP off.",
  );
}

function reportFormat({ path, schema, value }: ValueError, report: Report): void {
  const refusal = formatOf(schema)?.refuse(String(value), label(path));
  if (refusal !== undefined) report.add(path, refusal.message, refusal.hint);
}

/** A value of another type, or outside its limits. It is not repeated: where a text was expected it may be a secret. */
function reportWrong({ path, schema, value }: ValueError, report: Report): void {
  // What is missing was reported as such.
  if (value === undefined) return;
  if (value === null && path === "/sip/room_prefix") {
    report.add(path, "SIP room_prefix cannot be empty", "Set it to something like sip- or room_42.");
    return;
  }
  const name = path === "" ? "The configuration" : label(path);
  report.add(path, `${name} must be ${expectation(schema)}${contrast(schema, value)}`, hintFor(schema, value));
}

function expectation(schema: TSchema): string {
  if (KindGuard.IsString(schema)) return `${formatOf(schema)?.expects ?? text(schema)}${limit(schema)}`;
  if (KindGuard.IsInteger(schema)) return `a whole number${range(schema)}`;
  if (KindGuard.IsNumber(schema)) return `a number${range(schema)}`;
  if (KindGuard.IsBoolean(schema)) return "true or false";
  if (KindGuard.IsArray(schema)) return `a list${limit(schema)}`;
  if (KindGuard.IsUnion(schema)) return schema.anyOf.map(expectation).join(" or ");
  if (KindGuard.IsLiteral(schema)) return String(schema.const);
  return "a mapping";
}

const text = ({ pattern }: TString): string => (pattern === undefined ? "a string" : `a string that fits ${pattern}`);

function range({ minimum, maximum }: TInteger | TNumber): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  return maximum === undefined ? "" : ` of at most ${maximum}`;
}

function limit(schema: TSchema): string {
  const { minItems, maxItems, minLength, maxLength }: Record<string, unknown> = schema;
  if (typeof maxLength === "number") return ` of at most ${maxLength} characters`;
  if (typeof minLength === "number") return ` of at least ${minLength} characters`;
  if (typeof minItems !== "number") return "";
  return typeof maxItems === "number" ? ` of ${minItems} to ${maxItems} entries` : " with at least one entry";
}

/** What was given instead, if it is of another type. A number in the place of a number is shown: it is no secret. */
function contrast(schema: TSchema, value: unknown): string {
  if ((KindGuard.IsInteger(schema) || KindGuard.IsNumber(schema)) && typeof value === "number") return `, not ${value}`;
  const given = typeName(value);
  const wanted: unknown = schema["type"];
  return given.type === wanted || KindGuard.IsUnion(schema) ? "" : `, not ${given.text}`;
}

function typeName(value: unknown): { readonly type: string; readonly text: string } {
  if (value === null) return { type: "null", text: "nothing" };
  if (Array.isArray(value)) return { type: "array", text: "a list" };
  if (typeof value === "string") return { type: "string", text: isBlank(value) ? "an empty string" : "a string" };
  if (typeof value === "number") return { type: "number", text: "a number" };
  return typeof value === "boolean"
    ? { type: "boolean", text: "true or false" }
    : { type: "object", text: "a mapping" };
}

/** Of a variable that is there without content, mostly. */
const isBlank = (value: unknown): boolean => typeof value === "string" && value.trim() === "";

function hintFor(schema: TSchema, value: unknown): string {
  if (value === null) return "Give it a value, or remove the line.";
  if (isBlank(value)) return "Give it a value, or remove it.";
  if (KindGuard.IsString(schema)) {
    if (typeof value !== "string") return "Write a string; what reads as a number or as true needs quotes.";
    return value.length > (schema.maxLength ?? Infinity) ? "Shorten it." : "Write what fits.";
  }
  if (KindGuard.IsBoolean(schema)) return "Write true or false, without quotes; a variable may also say 1 or 0.";
  if (KindGuard.IsInteger(schema) || KindGuard.IsNumber(schema)) {
    return "Write a number within these limits, without quotes.";
  }
  if (KindGuard.IsArray(schema)) {
    return "Write a list: each entry on a line of its own that begins with -, or [a, b]; in a variable a, b.";
  }
  return KindGuard.IsUnion(schema) ? "Write one of them." : "Write key: value, one per line, indented below it.";
}
