import { KindGuard, type TSchema } from "@sinclair/typebox";
import { isJsonObject } from "../../src/domain/json";

/**
 * The value with the schema's defaults in the place of what was not given. TypeBox 0.34's own `Value.Default` is not used:
 * it turns a mapping that was given for a list into the list's default, and so hides the mistake. Mappings and lists are
 * made anew, so that nobody changes a default.
 */
export function fillDefaults(schema: TSchema, given: unknown): unknown {
  const value: unknown = given === undefined ? schema["default"] : given;
  if (KindGuard.IsArray(schema) && Array.isArray(value)) return value.map((item) => fillDefaults(schema.items, item));
  if (!KindGuard.IsObject(schema) || !isJsonObject(value)) return value;
  const known = Object.entries(schema.properties).map(([key, member]) => {
    return [key, fillDefaults(member, Object.hasOwn(value, key) ? value[key] : undefined)] as const;
  });
  // Unknown keys come along, to be found by the check.
  const unknown = Object.entries(value).filter(([key]) => !Object.hasOwn(schema.properties, key));
  return Object.fromEntries([...known.filter(([, filled]) => filled !== undefined), ...unknown]);
}
