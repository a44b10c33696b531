import type { TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { isJsonObject, type JsonObject } from "../../src/domain/json";
import { expectation } from "./expectation";
import type { Problem } from "./find-problems";

/** A request's path or query: what its schema says of each member, and what came. */
export type TextPart = { readonly name: "params" | "query"; readonly schema: unknown; readonly values: unknown };

/**
 * The numbers of a path or a query that are numbers, but not right ones. Elysia has found them when it throws, and has lost where
 * they are: their text fits the schema, and what is wrong with the number is thrown by itself.
 */
export function findNumbers(parts: readonly TextPart[]): readonly Problem[] {
  return parts.flatMap(({ name: part, schema, values }) => {
    if (!isJsonObject(schema) || !isJsonObject(schema["properties"]) || !isJsonObject(values)) return [];
    return Object.entries(schema["properties"]).flatMap(([name, member]) => {
      const form = isJsonObject(member) ? numberForm(member) : undefined;
      const value = values[name];
      if (form === undefined || value === undefined) return [];
      const found = Value.Errors(form, Number(value)).First();
      return found === undefined ? [] : [{ field: `${part}/${name}`, message: expectation(found) }];
    });
  });
}

/** The number of `t.Integer()` and `t.Numeric()`, which are a choice between it and its text. */
function numberForm({ anyOf }: JsonObject): TSchema | undefined {
  return Array.isArray(anyOf) ? anyOf.find(isNumber) : undefined;
}

const isNumber = (form: unknown): form is TSchema =>
  isJsonObject(form) && (form["type"] === "integer" || form["type"] === "number");
