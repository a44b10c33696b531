import { readFileSync } from "node:fs";
import { join } from "node:path";
import { VARIABLE_NAMES } from "../../plugins/config-loader/variables";
import { ROOT } from "../readme/readme";

/** A file below `deploy/`. */
export const deployed = (path: string): string => readFileSync(join(ROOT, "deploy", path), "utf8");

/** What a test writes where a secret has to be given. */
export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** What Bun reads itself. A setting of JavaScriptCore that it does not know ends its start. */
const OF_THE_RUNTIME = new Set(["NODE_ENV", "BUN_JSC_forceRAMSize"]);

/** The names among these that neither the program nor Bun reads. */
export const unknownVariables = (names: readonly string[]): readonly string[] =>
  names.filter((name) => !OF_THE_RUNTIME.has(name) && !VARIABLE_NAMES.includes(name));

export type IniLine = { readonly section: string; readonly key: string; readonly value: string };

/** The settings of a systemd unit or a Quadlet, in their order; a key may come several times. */
export function readUnit(text: string): readonly IniLine[] {
  let section = "";
  const lines: IniLine[] = [];
  for (const line of text.split("\n")) {
    if (/^\s*(#|;|$)/.test(line)) continue;
    const [, title] = /^\[(\w+)\]$/.exec(line) ?? [];
    const [, key, value] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? [];
    if (title !== undefined) section = title;
    else if (key === undefined || value === undefined) throw new Error(`not a line of a unit: ${line}`);
    else lines.push({ section, key, value });
  }
  return lines;
}

/** All values of a key. */
export const valuesOf = (unit: readonly IniLine[], key: string): readonly string[] =>
  unit.filter((line) => line.key === key).map(({ value }) => value);

/** What `Environment=` sets. */
export const environmentIn = (unit: readonly IniLine[]): Readonly<Record<string, string>> =>
  Object.fromEntries(valuesOf(unit, "Environment").map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]));
