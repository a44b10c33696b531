import { readFile } from "node:fs/promises";

/** The share of lines of `src` and `plugins` that the tests of this process ran, in per cent, from an lcov report. */
export async function coveredLines(lcov: string): Promise<number> {
  let found = 0;
  let hit = 0;
  let counts = false;
  const seen = new Set<string>();
  for (const line of (await readFile(lcov, "utf8")).split("\n")) {
    const [name = "", value = ""] = line.split(/:(.*)/s);
    if (name === "SF") {
      counts = /^(src|plugins)\//.test(value);
      seen.add(value);
    } else if (counts && name === "LF") found += Number(value);
    else if (counts && name === "LH") hit += Number(value);
  }
  // A file that no test imports is not in the report: all of its lines are uncovered.
  for await (const file of new Bun.Glob("{src,plugins}/**/*.ts").scan()) {
    if (!seen.has(file))
      found += (await readFile(file, "utf8")).split("\n").filter((text) => text.trim() !== "").length;
  }
  return found === 0 ? 0 : (100 * hit) / found;
}
