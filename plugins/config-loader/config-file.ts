import { readFileSync } from "node:fs";
import type { ConfigProblem } from "./config-error";
import { readYaml, type YamlSource } from "./yaml-source";

/** Some 40,000 hooks. */
const LARGEST = 8 * 1024 * 1024;

/** Reads the file that was named; never throws. Without a name there is nothing to read, and no file is looked for. */
export function readConfigFile(file: string | undefined): YamlSource {
  if (file === undefined) return { tree: {}, places: new Map(), problems: [], complete: true };
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    return unreadable(file, `cannot be read: ${reason(error)}`, "Name an existing file that this user may read.");
  }
  if (bytes.byteLength > LARGEST) return unreadable(file, "is larger than 8 MiB", "Name a configuration file.");
  try {
    return readYaml(new TextDecoder("utf-8", { fatal: true }).decode(bytes), file);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return unreadable(file, "is not UTF-8", "Save it as UTF-8.");
  }
}

function unreadable(file: string, what: string, hint: string): YamlSource {
  const problem: ConfigProblem = { message: `The configuration file ${what}`, source: file, hint };
  return { tree: {}, places: new Map(), problems: [problem], complete: false };
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
};

/** Why a file could not be read, without its content. */
export function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  return REASONS[code] ?? code;
}
