import { readFile } from "node:fs/promises";

/** What tests run as a process of its own, where Bun counts no lines: the commands. */
const RUN_AS_PROCESSES = /^src\/(cli\/|doctor\/|main\.ts$|run-service\.ts$)/;
const transpiler = new Bun.Transpiler({ loader: "ts" });

/**
 * The share of lines of `src` and `plugins` that the tests ran in their own process, in per cent, from an lcov report. The
 * commands are not among them: their tests run them as a user does.
 */
export async function coveredLines(lcov: string): Promise<number> {
  let found = 0;
  let hit = 0;
  let counts = false;
  const seen = new Set<string>();
  for (const line of (await readFile(lcov, "utf8")).split("\n")) {
    const [name = "", value = ""] = line.split(/:(.*)/s);
    if (name === "SF") {
      counts = /^(src|plugins)\//.test(value) && !RUN_AS_PROCESSES.test(value);
      seen.add(value);
    } else if (counts && name === "LF") found += Number(value);
    else if (counts && name === "LH") hit += Number(value);
  }
  // A file that no test imports is not in the report: all of its lines are uncovered.
  for await (const file of new Bun.Glob("{src,plugins}/**/*.ts").scan()) {
    if (seen.has(file) || file.endsWith(".d.ts") || RUN_AS_PROCESSES.test(file)) continue;
    const text = await readFile(file, "utf8");
    // Types alone are no code.
    if (transpiler.transformSync(text).trim() === "") continue;
    found += text.split("\n").filter((line) => line.trim() !== "").length;
  }
  return found === 0 ? 0 : (100 * hit) / found;
}
