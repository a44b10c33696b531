import { KindGuard, type TSchema } from "@sinclair/typebox";
import { child, type Pointer } from "./pointer";
import { ConfigSchema } from "./schema";

/** How a variable's text becomes a value. */
export type VariableKind = "text" | "integer" | "boolean" | "list" | "json";

export type Variable = {
  readonly name: string;
  /** The setting that it replaces, whole. */
  readonly pointer: Pointer;
  readonly kind: VariableKind;
};

/** One credential by two variables, in place of `auth.api_secrets`. */
export const SINGLE_SECRET = {
  secret: "AUTH_API_SECRET",
  id: "AUTH_API_SECRET_ID",
  list: "AUTH_API_SECRETS_JSON",
} as const;

/** The variables that stand for one setting each, as the schema names them. */
export const VARIABLES: readonly Variable[] = variablesIn(ConfigSchema, "");

/** Every variable that is read. */
export const VARIABLE_NAMES: readonly string[] = [
  ...VARIABLES.map(({ name }) => name),
  SINGLE_SECRET.secret,
  SINGLE_SECRET.id,
];

function variablesIn(schema: TSchema, pointer: Pointer): Variable[] {
  const name: unknown = schema["variable"];
  const own = typeof name === "string" ? [{ name, pointer, kind: kindOf(schema) }] : [];
  if (!KindGuard.IsObject(schema)) return own;
  const members = Object.entries(schema.properties);
  return [...own, ...members.flatMap(([key, member]) => variablesIn(member, child(pointer, key)))];
}

function kindOf(schema: TSchema): VariableKind {
  if (KindGuard.IsArray(schema)) return KindGuard.IsObject(schema.items) ? "json" : "list";
  if (KindGuard.IsInteger(schema)) return "integer";
  return KindGuard.IsBoolean(schema) ? "boolean" : "text";
}
