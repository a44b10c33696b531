import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, loadConfig, type Config, type ConfigProblem } from "../../../plugins/config-loader";

/** Runs with a file of this content, which is gone afterwards. */
export function withFile<T>(content: string | Uint8Array, run: (file: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), "config-loader-"));
  try {
    const file = join(directory, "config.yaml");
    writeFileSync(file, content);
    return run(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The configuration of this YAML and these variables, and nothing else. */
export function load(yaml: string | Uint8Array, env: Record<string, string> = {}): Config {
  return withFile(yaml, (file) => loadConfig({ file, env }));
}

/** The error that loading ends in. */
export function failure(run: () => unknown): ConfigError {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("It loaded, although it should not have");
}

/** The problems of this YAML and these variables; `source` without the file's path: `3:5`, or the variable. */
export function problemsOf(yaml: string | Uint8Array, env: Record<string, string> = {}): ConfigProblem[] {
  return withFile(yaml, (file) => {
    const { problems } = failure(() => loadConfig({ file, env }));
    return problems.map((problem) => ({ ...problem, source: problem.source.replace(file, "").replace(/^:/, "") }));
  });
}

/** The problems' messages, in order. */
export const messagesOf = (yaml: string | Uint8Array, env: Record<string, string> = {}): string[] =>
  problemsOf(yaml, env).map(({ message }) => message);

/** A `sip` block that is right, to which lines (indented by two) can be added. */
export const SIP = 'sip:\n  room_prefix: "sip-"\n  allowed_addresses: ["203.0.113.0/24"]\n';

/** A `sip` block with these hooks, with these settings of its delivery; an `auth` block with these credentials. */
export const hooks = (...entries: string[]): string => `${SIP}  hooks: [${entries.join(", ")}]\n`;
export const delivery = (settings: string): string => `${SIP}  delivery: {${settings}}\n`;
export const credentials = (...entries: string[]): string => `auth: {api_secrets: [${entries.join(", ")}]}\n`;

/** The same value, so that it can be compared with plain text where its type is branded. */
export const unbranded = (value: unknown): unknown => value;
