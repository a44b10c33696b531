import { LineCounter, parseDocument } from "yaml";
import { isJsonObject } from "../../src/domain/json";
import type { ConfigProblem } from "./config-error";
import type { Pointer } from "./pointer";
import { yamlFault, type YamlFault } from "./yaml-fault";
import { yamlTree } from "./yaml-tree";

export type YamlSource = {
  /** Plain values; an empty file is an empty mapping. */
  readonly tree: Readonly<Record<string, unknown>>;
  /** `file:line:column` of every value (of its key, when it has one). */
  readonly places: ReadonlyMap<Pointer, string>;
  readonly problems: readonly ConfigProblem[];
  /** False when the file was not understood, so that nothing can be said about what is missing in it. */
  readonly complete: boolean;
};

/** Reads YAML 1.2 (core schema, no merge keys); never throws. */
export function readYaml(text: string, file: string): YamlSource {
  const lines = new LineCounter();
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const document = parseDocument(text, {
    lineCounter: lines,
    // The pretty ones quote the line, and with it the secret that may be in it.
    prettyErrors: false,
    stringKeys: true,
    resolveKnownTags: false,
    // Not "silent", which drops the error about a second document.
    logLevel: "error",
  });
  const { value, offsets, faults } = yamlTree(document.contents, text);
  const all = [...document.errors, ...document.warnings].map(yamlFault);
  // A broken document's tree is full of faults that are none.
  if (!all.some(({ fatal }) => fatal)) all.push(...faults);
  if (document.directives?.yaml.version !== "1.2") all.push(WRONG_VERSION);
  if (value !== null && !isJsonObject(value) && all.length === 0) all.push(NO_MAPPING);

  const problems = all.map(({ message, hint, offset }) => ({ message, hint, source: place(offset) }));
  const places = new Map([["", file], ...[...offsets].map(([at, offset]) => [at, place(offset)] as const)]);
  const complete = !all.some(({ fatal }) => fatal);
  return { tree: complete && isJsonObject(value) ? value : {}, places, problems, complete };
}

const WRONG_VERSION: YamlFault = {
  message: "Only YAML 1.2 is read",
  hint: "Remove the %YAML line.",
  offset: 0,
  fatal: true,
};

const NO_MAPPING: YamlFault = {
  message: "The configuration must be a mapping",
  hint: "Write settings as key: value, such as sip: and below it room_prefix: sip-",
  offset: 0,
  fatal: true,
};
