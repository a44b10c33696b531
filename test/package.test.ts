import { expect, test } from "bun:test";
import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };

const ROOT = join(import.meta.dir, "..");

test("a package of it has what its exports name, the guides and the examples, and neither tests nor data", async () => {
  const packed = Bun.spawn([process.execPath, "pm", "pack", "--dry-run", "--ignore-scripts"], {
    cwd: ROOT,
    stdout: "pipe",
    stderr: "ignore",
  });
  const text = await new Response(packed.stdout).text();
  const files = new Set([...text.matchAll(/^packed \S+ (\S+)$/gm)].map(([, file = ""]) => file));
  const exported = Object.values(packageJson.exports).map((path) => path.slice(2));
  const others = [
    "src/main.ts",
    "docs/write-a-matcher.md",
    "docs/write-a-storage.md",
    "examples/csv-matcher/README.md",
  ];
  for (const file of [...exported, ...others]) expect(files).toContain(file);
  expect([...files].filter((file) => /^(test|bench|data)\/|\.db$/.test(file))).toEqual([]);
});
