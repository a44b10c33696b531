import { isJsonObject } from "../../src/domain/json";

/** Where a value stands in the configuration, as a JSON pointer (RFC 6901): `/sip/hooks/0/url`. */
export type Pointer = string;

/** The pointer of a member of what is at `parent`. */
export function child(parent: Pointer, key: string | number): Pointer {
  return `${parent}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** The pointer of the mapping or list that holds it; of the top itself there is none. */
export function parentOf(pointer: Pointer): Pointer | undefined {
  return pointer === "" ? undefined : pointer.slice(0, pointer.lastIndexOf("/"));
}

/** The keys from the top down. */
export function keysOf(pointer: Pointer): string[] {
  const keys = pointer.split("/").slice(1);
  return keys.map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** How people write it: `sip.hooks[0].url`. */
export function label(pointer: Pointer): string {
  const keys = keysOf(pointer).map((key) => (/^\d+$/.test(key) ? `[${key}]` : `.${key}`));
  return keys.join("").replace(/^\./, "");
}

/** What is there, or undefined. */
export function valueAt(tree: unknown, pointer: Pointer): unknown {
  let value = tree;
  for (const key of keysOf(pointer)) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/** The list's items with their pointers; none when there is no list. */
export function itemsAt(tree: unknown, pointer: Pointer): { at: Pointer; value: unknown }[] {
  const list: unknown = valueAt(tree, pointer);
  return Array.isArray(list) ? list.map((value: unknown, index) => ({ at: child(pointer, index), value })) : [];
}

/**
 * Puts a value there, making the mappings on the way. Nothing is changed when something else than a mapping is in the way.
 */
export function putAt(tree: Record<string, unknown>, pointer: Pointer, value: unknown): void {
  const keys = keysOf(pointer);
  const last = keys.pop();
  if (last === undefined) return;
  let owner = tree;
  for (const key of keys) {
    const next = (owner[key] ??= {});
    if (!isMapping(next)) return;
    owner = next;
  }
  owner[last] = value;
}

/** Puts another value in the place of one that is there; undefined removes it from a mapping. */
export function replaceAt(tree: unknown, pointer: Pointer, value: unknown): void {
  const owner = valueAt(tree, parentOf(pointer) ?? "");
  const key = keysOf(pointer).pop();
  if (Array.isArray(owner)) owner[Number(key)] = value;
  if (!isMapping(owner) || key === undefined) return;
  if (value === undefined) delete owner[key];
  else owner[key] = value;
}

const isMapping = (value: unknown): value is Record<string, unknown> => isJsonObject(value);
