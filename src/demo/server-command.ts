import { fileURLToPath } from "node:url";

/** The command that runs this program's `serve` with a configuration file, as an operator would. */
export function serverCommand(configFile: string): string[] {
  // A compiled binary is the program itself; what it has inside is no file that another process could run.
  const program = Bun.isStandaloneExecutable ? [] : [fileURLToPath(new URL("../main.ts", import.meta.url))];
  return [process.execPath, ...program, "serve", "--config", configFile];
}

/** What a process needs of its surroundings. Everything else may hold settings of the user's own service, or of Bun. */
const NEEDED = ["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH", "SystemRoot"];

/** The environment of the demo's server. */
export function serverEnvironment(own: NodeJS.ProcessEnv, caFile: string): Record<string, string> {
  const kept = NEEDED.flatMap((name) => {
    const value = own[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), NODE_EXTRA_CA_CERTS: caFile };
}
