import { chmod, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import type { Target } from "./target";

const ROOT = join(import.meta.dir, "..");

export type CompileOptions = {
  readonly target: Target;
  /** The program of the Bun that the binary has inside. */
  readonly runtime: string;
  /** Where the binary goes; it exists. */
  readonly directory: string;
};

/** `sayna-sip-0.1.0-linux-x64` */
export const binaryName = (target: Target): string => `sayna-sip-${packageJson.version}-${target}`;

/**
 * Makes one file of the program, its packages, and Bun.
 *
 * @returns its path, and the npm packages that are in it.
 * @throws when this Bun is not the one that the package names, or something cannot be bundled.
 */
export async function compileBinary({
  target,
  runtime,
  directory,
}: CompileOptions): Promise<{ readonly path: string; readonly packages: readonly string[] }> {
  const { bun } = packageJson.engines;
  // Bytecode of one version is read by no other.
  if (Bun.version !== bun) throw new Error(`Binaries are built by Bun ${bun}; this is ${Bun.version}.`);
  // Beside the binary Bun writes the source map, which it also has inside.
  const work = await mkdtemp(join(directory, ".work-"));
  try {
    const outfile = join(work, "sayna-sip");
    const built = await Bun.build({
      entrypoints: [join(ROOT, "src/main.ts")],
      root: ROOT,
      // Of a CommonJS package the bundler would write down where it lay on the machine that built the binary, which then
      // was another one on each. They use it for worker threads, which are not used here.
      define: { __dirname: '"/"', __filename: '"/"' },
      target: "bun",
      // A start takes 0.15 s instead of 0.5; the file grows by 10 MB (measured, x64).
      format: "esm",
      bytecode: true,
      // Not the names: `minify: true` breaks @elysiajs/bearer, and the log's stack traces should be readable.
      minify: { whitespace: true, syntax: true },
      sourcemap: "inline",
      metafile: true,
      compile: {
        target: `bun-${target}`,
        executablePath: runtime,
        outfile,
        // Settings come from the configuration and the environment, and from nothing that lies where it is started.
        autoloadDotenv: false,
        autoloadBunfig: false,
        autoloadTsconfig: false,
        // A plugin's own packages are found by their `exports`.
        autoloadPackageJson: true,
      },
    });
    const path = join(directory, binaryName(target));
    await chmod(outfile, 0o755);
    await rename(outfile, path);
    return { path, packages: packagesOf(Object.keys(built.metafile?.inputs ?? {})) };
  } finally {
    await rm(work, { recursive: true });
  }
}

function packagesOf(inputs: readonly string[]): readonly string[] {
  const directories = inputs.flatMap(
    (input) => /^(?:.*\/)?(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? [],
  );
  return [...new Set(directories)].toSorted();
}
