import { cp, mkdir, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { readStages, type Stage } from "./containerfile";
import { ROOT } from "./readme";

/** What the Containerfile makes, in a directory instead of an image. */
export type BuiltImage = {
  /** The directory that stands for the image's `/`. */
  readonly root: string;
  /** The image's working directory. */
  readonly workingDirectory: string;
  /** A PATH with `bun`, as the base image has one. */
  readonly path: string;
};

/**
 * Does below `directory` what an engine does with the Containerfile: `COPY` and `RUN` of each stage, in the stage's own
 * root. The commands of `RUN` use paths below the working directory only, and so find what they would find there.
 */
export async function buildImage(directory: string): Promise<BuiltImage> {
  const bin = join(directory, "bin");
  await mkdir(bin);
  await symlink(process.execPath, join(bin, "bun"));
  const path = `${bin}:${process.env["PATH"] ?? ""}`;
  const roots = new Map<string, string>();
  let image: BuiltImage | undefined;
  for (const stage of readStages()) {
    const root = join(directory, stage.name ?? "image");
    if (stage.name !== undefined) roots.set(stage.name, root);
    image = { root, workingDirectory: await buildStage(stage, root, roots, path), path };
  }
  if (image === undefined) throw new Error("the Containerfile has no stage");
  return image;
}

async function buildStage(
  { instructions }: Stage,
  root: string,
  roots: ReadonlyMap<string, string>,
  path: string,
): Promise<string> {
  let workingDirectory = root;
  for (const { name, rest } of instructions) {
    if (name === "WORKDIR") {
      workingDirectory = join(root, rest);
      await mkdir(workingDirectory, { recursive: true });
    } else if (name === "COPY") await copy(rest, { root, workingDirectory, roots });
    else if (name === "RUN") await run(rest, workingDirectory, path);
  }
  return workingDirectory;
}

type Places = {
  readonly root: string;
  readonly workingDirectory: string;
  readonly roots: ReadonlyMap<string, string>;
};

async function copy(rest: string, { root, workingDirectory, roots }: Places): Promise<void> {
  const words = rest.split(" ");
  const from = words.find((word) => word.startsWith("--from="))?.slice("--from=".length);
  const source = from === undefined ? ROOT : roots.get(from);
  if (source === undefined) throw new Error(`there is no stage ${from}`);
  const paths = words.filter((word) => !word.startsWith("--"));
  const to = paths.pop() ?? "";
  const target = to.startsWith("/") ? join(root, to) : join(workingDirectory, to);
  for (const each of paths) {
    // A link in node_modules/.bin leads to its neighbour here as there.
    const options = { recursive: true, verbatimSymlinks: true };
    await cp(join(source, each), to.endsWith("/") ? join(target, basename(each)) : target, options);
  }
}

async function run(command: string, workingDirectory: string, path: string): Promise<void> {
  const shell = Bun.spawn(["sh", "-c", command], {
    cwd: workingDirectory,
    env: { ...process.env, PATH: path },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const output = await Promise.all([new Response(shell.stdout).text(), new Response(shell.stderr).text()]);
  if ((await shell.exited) !== 0) throw new Error(`RUN ${command}\n${output.join("")}`);
}
