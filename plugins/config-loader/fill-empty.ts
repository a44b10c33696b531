import { KindGuard, type TSchema } from "@sinclair/typebox";
import { isJsonObject } from "../../src/domain/json";

/**
 * Blocks and lists that were written without content (`sip:` and nothing below it, everything commented out) as empty
 * ones: YAML reads them as null. A single value without content stays null, and is a problem.
 */
export function fillEmpty(schema: TSchema, value: unknown): unknown {
  if (KindGuard.IsArray(schema)) return value ?? [];
  if (!KindGuard.IsObject(schema)) return value;
  const members = value ?? {};
  if (!isJsonObject(members)) return members;
  const properties: Record<string, TSchema> = schema.properties;
  return Object.fromEntries(
    Object.entries(members).map(([key, member]) => {
      const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
      return [key, known === undefined ? member : fillEmpty(known, member)];
    }),
  );
}
