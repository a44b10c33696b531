import { isJsonObject } from "../../../src/domain/json";
import { TwirpFailure } from "./twirp-failure";

/** A JSON object that may be changed. */
export type Json = { [member: string]: unknown };

export type FieldType =
  keyof typeof PLAIN | { readonly enum: readonly string[] } | { readonly message: Schema } | { readonly list: Schema };

type PlainType = { readonly unset: unknown; readonly read: (value: unknown) => unknown };

/** `read` gives undefined for a value of another type. */
const PLAIN = {
  string: { unset: "", read: (value) => (typeof value === "string" ? value : undefined) },
  bool: { unset: false, read: (value) => (typeof value === "boolean" ? value : undefined) },
  uint32: { unset: 0, read: (value) => (isUint32(value) ? value : undefined) },
  int64: { unset: "0", read: (value) => (/^-?\d+$/.test(String(value)) ? String(value) : undefined) },
  strings: { unset: [], read: (value) => (Array.isArray(value) && value.every(isString) ? [...value] : undefined) },
  map: {
    unset: {},
    read: (value) => (isJsonObject(value) && Object.values(value).every(isString) ? { ...value } : undefined),
  },
  /** Taken as it comes: messages that nothing here looks into (durations, timestamps, egress). */
  any: { unset: null, read: (value) => structuredClone(value) },
} as const satisfies Record<string, PlainType>;

const isString = (value: unknown): boolean => typeof value === "string";
const isUint32 = (value: unknown): boolean =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 32;

export type Field = {
  /** As the .proto file has it: snake_case. */
  readonly name: string;
  readonly type: FieldType;
  /** `optional` or member of a oneof: has presence, so that it is left out of an answer when it is not set. */
  readonly presence?: true;
  readonly oneof?: string;
};

export type Schema = { readonly fields: readonly Field[] };

/**
 * Reads a message as protojson does: snake_case or camelCase names, enums by name or number, null for what is not set,
 * 400 `malformed` for a value of another type or two members of one oneof. The result has snake_case names only.
 * Members that the schema does not know stay, and their paths are added to `unknown`.
 */
export function readMessage(schema: Schema, value: unknown, unknown: Set<string>, path = ""): Json {
  if (!isJsonObject(value)) throw malformed(path);
  const known = new Map(schema.fields.flatMap((field) => [field.name, camelCase(field.name)].map((n) => [n, field])));
  const message: Json = {};
  const oneofs = new Set<string>();
  for (const [member, given] of Object.entries(value)) {
    const field = known.get(member);
    const at = `${path}.${member}`;
    if (field === undefined) {
      unknown.add(at);
      message[member] = structuredClone(given);
      continue;
    }
    if (given === null) continue;
    if (field.name in message || (field.oneof !== undefined && oneofs.has(field.oneof))) throw malformed(at);
    if (field.oneof !== undefined) oneofs.add(field.oneof);
    message[field.name] = readValue(field.type, given, unknown, at);
  }
  return message;
}

function readValue(type: FieldType, value: unknown, unknown: Set<string>, at: string): unknown {
  if (typeof type === "string") {
    const read = PLAIN[type].read(value);
    if (read === undefined) throw malformed(at);
    return read;
  }
  if ("message" in type) return readMessage(type.message, value, unknown, at);
  if ("enum" in type) {
    const name = typeof value === "number" ? type.enum[value] : value;
    if (typeof name !== "string" || !type.enum.includes(name)) throw malformed(at);
    return name;
  }
  if (!Array.isArray(value)) throw malformed(at);
  return value.map((item) => readMessage(type.list, item, unknown, at));
}

/** Writes a message as LiveKit does: snake_case, everything unset with its default; unknown members come last. */
export function printMessage(schema: Schema, message: Json): Json {
  const printed: Json = {};
  for (const field of schema.fields) {
    const value = message[field.name];
    if (value !== undefined) printed[field.name] = printValue(field.type, value);
    else if (field.presence === undefined && field.oneof === undefined) printed[field.name] = unset(field.type);
  }
  const known = new Set(schema.fields.map((field) => field.name));
  for (const [member, value] of Object.entries(message)) {
    if (!known.has(member)) printed[member] = structuredClone(value);
  }
  return printed;
}

function printValue(type: FieldType, value: unknown): unknown {
  if (typeof type !== "object" || "enum" in type) return structuredClone(value);
  if ("message" in type) return printMessage(type.message, isJsonObject(value) ? { ...value } : {});
  return Array.isArray(value) ? value.map((item: Json) => printMessage(type.list, item)) : [];
}

function unset(type: FieldType): unknown {
  if (typeof type === "string") return structuredClone(PLAIN[type].unset);
  if ("message" in type) return null;
  return "enum" in type ? type.enum[0] : [];
}

const camelCase = (name: string): string =>
  name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

const malformed = (at: string): TwirpFailure =>
  new TwirpFailure("malformed", `the json request could not be decoded${at === "" ? "" : ` (${at})`}`);
