import { readFile, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";

/** Writes `SHA256SUMS` beside the files, as `sha256sum --check` reads it. */
export async function writeChecksums(files: readonly [string, ...string[]]): Promise<void> {
  const lines: string[] = [];
  for (const file of files) {
    const sum = createHash("sha256")
      .update(await readFile(file))
      .digest("hex");
    lines.push(`${sum}  ${basename(file)}\n`);
  }
  await writeFile(join(dirname(files[0]), "SHA256SUMS"), lines.join(""));
}
