import type { ConfigProblem } from "./config-error";
import { jsonFault } from "./json-fault";
import { misspeltVariables } from "./misspelt-variables";
import { child, type Pointer } from "./pointer";
import { SINGLE_SECRET, VARIABLES, type Variable, type VariableKind } from "./variables";

export type Environment = Readonly<Record<string, string | undefined>>;

export type EnvironmentSource = {
  /** What replaces the file's values. */
  readonly values: readonly { readonly pointer: Pointer; readonly value: unknown; readonly variable: string }[];
  /** Values whose source is another variable than that of the value around them. */
  readonly places: ReadonlyMap<Pointer, string>;
  readonly problems: readonly ConfigProblem[];
};

/**
 * An empty variable counts as not set, since that is what a container's `${NAME:-}` hands on. These two do not, because
 * guessing would fail open: calls would be lost silently, or an image's AUTH_REQUIRED=true would be switched off.
 * To empty a list of the file, a variable says `,`.
 */
const MEANT_WHEN_EMPTY: ReadonlySet<string> = new Set(["SIP_ROOM_PREFIX", "AUTH_REQUIRED"]);

/** Reads the variables. What has the wrong form stays a text, and is found by the check of the whole configuration. */
export function readEnvironment(env: Environment): EnvironmentSource {
  const problems = [...misspeltVariables(env)];
  const values = VARIABLES.flatMap((variable) => {
    const text = given(env, variable.name);
    const value = text === undefined ? undefined : valueOf(variable, text, problems);
    return value === undefined ? [] : [{ pointer: variable.pointer, value, variable: variable.name }];
  });
  const single = singleSecret(env, problems);
  return { values: [...values, ...single.values], places: single.places, problems };
}

function given(env: Environment, name: string): string | undefined {
  const text = env[name];
  return text === "" && !MEANT_WHEN_EMPTY.has(name) ? undefined : text;
}

/** Undefined when the text is a problem. */
function valueOf({ name, kind }: Variable, text: string, problems: ConfigProblem[]): unknown {
  if (kind !== "json") return READERS[kind](text);
  try {
    return JSON.parse(text);
  } catch {
    problems.push(jsonProblem(name, text));
    return undefined;
  }
}

const READERS: Readonly<Record<Exclude<VariableKind, "json">, (text: string) => unknown>> = {
  text: (text) => text,
  integer: (text) => (/^\s*-?\d{1,15}\s*$/.test(text) ? Number(text) : text),
  boolean: (text) => BOOLEANS.get(text.trim().toLowerCase()) ?? text,
  list: (text) =>
    text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
};

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
]);

function jsonProblem(name: string, text: string): ConfigProblem {
  const before = text.slice(0, jsonFault(text));
  const line = before.split("\n").length;
  const column = before.length - before.lastIndexOf("\n");
  return {
    message: `${name} is not valid JSON at line ${line}, column ${column}`,
    source: name,
    hint: "Write a JSON array of objects, with double quotes; in a shell put the whole of it in single quotes.",
  };
}

/** AUTH_API_SECRET and AUTH_API_SECRET_ID: one operator. */
function singleSecret(env: Environment, problems: ConfigProblem[]): Pick<EnvironmentSource, "values" | "places"> {
  const secret = given(env, SINGLE_SECRET.secret);
  const id = given(env, SINGLE_SECRET.id);
  if (secret === undefined && id !== undefined) {
    const message = `${SINGLE_SECRET.id} is set without ${SINGLE_SECRET.secret}`;
    problems.push({ message, source: SINGLE_SECRET.id, hint: `Set ${SINGLE_SECRET.secret} too, or remove it.` });
  }
  if (secret === undefined) return { values: [], places: new Map() };
  if (given(env, SINGLE_SECRET.list) !== undefined) {
    const message = `${SINGLE_SECRET.secret} and ${SINGLE_SECRET.list} are both set`;
    problems.push({
      message,
      source: SINGLE_SECRET.secret,
      hint: "Keep one; the list can hold the single secret too.",
    });
    return { values: [], places: new Map() };
  }
  const pointer = "/auth/api_secrets";
  const value = [{ id: id ?? "default", secret, role: "operator" }];
  const places = new Map(id === undefined ? [] : [[child(child(pointer, 0), "id"), SINGLE_SECRET.id]]);
  return { values: [{ pointer, value, variable: SINGLE_SECRET.secret }], places };
}
