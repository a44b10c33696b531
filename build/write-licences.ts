import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");

/**
 * Writes down the licences of the packages that are in a binary, as they ask for it: name, version, and the text that the
 * package has with it.
 *
 * @param packages their directories, from the repository on.
 */
export async function writeLicences(packages: readonly string[], file: string): Promise<void> {
  const parts = [
    "sayna-sip's binary contains Bun (MIT; https://bun.sh/docs/project/licensing has the licences of what Bun contains)\n" +
      "and these packages.\n",
  ];
  for (const directory of packages) {
    const { name, version, license } = JSON.parse(await readFile(join(ROOT, directory, "package.json"), "utf8")) as {
      name: string;
      version: string;
      license?: unknown;
    };
    const texts: string[] = [];
    for (const entry of (await readdir(join(ROOT, directory))).toSorted()) {
      if (/^(licen[cs]e|notice|copying)(\.|-|$)/i.test(entry)) {
        texts.push((await readFile(join(ROOT, directory, entry), "utf8")).trim());
      }
    }
    const title = `${name} ${version}${typeof license === "string" ? ` (${license})` : ""}`;
    parts.push([`${"-".repeat(80)}\n${title}`, ...texts].join("\n\n"));
  }
  await writeFile(file, `${parts.join("\n")}\n`);
}
