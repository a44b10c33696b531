import { KindGuard, type TSchema } from "@sinclair/typebox";
import { ConfigSchema } from "../../plugins/config-loader";

/** The rows of the README's table of settings: setting, variable, default, description. */
export function configTable(): readonly (readonly string[])[] {
  return rowsOf(ConfigSchema, "", true);
}

function rowsOf(schema: TSchema, name: string, required: boolean): string[][] {
  if (KindGuard.IsObject(schema)) {
    const needed: readonly string[] = schema.required ?? [];
    return Object.entries(schema.properties).flatMap(([key, member]) =>
      rowsOf(member, name === "" ? key : `${name}.${key}`, needed.includes(key)),
    );
  }
  const variable: unknown = schema["variable"];
  const cells = [`\`${name}\``, typeof variable === "string" ? `\`${variable}\`` : "", defaultOf(schema, required)];
  const entries =
    KindGuard.IsArray(schema) && KindGuard.IsObject(schema.items) ? rowsOf(schema.items, `${name}[]`, true) : [];
  return [[...cells, schema.description ?? ""], ...entries];
}

function defaultOf(schema: TSchema, required: boolean): string {
  const value: unknown = schema["default"];
  if (value === undefined) return required ? "required" : "none";
  if (Array.isArray(value)) return `\`[${value.join(", ")}]\``;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return `\`${value}\``;
  throw new Error("the README has no form for such a default");
}
