import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

/** They look for a file of the source tree only where there is one. */
const ALLOWED = ["src/demo/server-command.ts"];

test("nothing is looked for beside the source, which a binary does not have: files are imported", async () => {
  const found: string[] = [];
  for (const directory of ["src", "plugins"]) {
    for await (const file of new Bun.Glob("**/*.ts").scan({ cwd: join(ROOT, directory) })) {
      const path = `${directory}/${file}`;
      // Plugins' authors run them with their own tests, on the source.
      if (path.startsWith("src/contracts/testing/") || path.startsWith("src/testing/")) continue;
      const source = await readFile(join(ROOT, path), "utf8");
      if (/\bimport\.meta\b|\b__dirname\b|\b__filename\b|\bBun\.main\b/.test(source)) found.push(path);
    }
  }
  expect(found).toEqual(ALLOWED);
});
