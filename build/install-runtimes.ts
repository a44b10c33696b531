import { join } from "node:path";
import { RUNTIME_PACKAGES, type Target } from "./target";

const DIRECTORY = join(import.meta.dir, "runtimes");

/**
 * Fetches Bun for every target from the npm registry, or from Bun's cache, and compares it with the checksums of the lockfile.
 * `bun build` would fetch a foreign Bun by itself, but checks it against nothing that is kept here.
 *
 * @returns where the program of each is.
 * @throws when they cannot be had.
 */
export async function installRuntimes(): Promise<Readonly<Record<Target, string>>> {
  // Without these Bun leaves out packages for another machine than this one.
  const command = [process.execPath, "install", "--frozen-lockfile", "--os=linux", "--cpu=*"];
  const install = Bun.spawn(command, { cwd: DIRECTORY, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [output, errors] = await Promise.all([
    new Response(install.stdout).text(),
    new Response(install.stderr).text(),
  ]);
  if ((await install.exited) !== 0) {
    throw new Error(
      `Bun for the binaries cannot be installed: ${`${errors}${output}`.trim()}\n` +
        `It comes from the npm registry; build/runtimes/package.json names it.`,
    );
  }
  const programOf = (target: Target): string => join(DIRECTORY, "node_modules", RUNTIME_PACKAGES[target], "bin", "bun");
  return { "linux-x64": programOf("linux-x64"), "linux-arm64": programOf("linux-arm64") };
}
