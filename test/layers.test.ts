import { expect, test } from "bun:test";
import { dirname, join, relative } from "node:path";
import { Glob } from "bun";

const ROOT = join(import.meta.dir, "..");
const transpiler = new Bun.Transpiler({ loader: "ts" });

type Import = { readonly from: string; readonly to: string };

/** Also of types, which the transpiler leaves out: one that is imported is a dependency all the same. */
async function importsOf(folder: string): Promise<readonly Import[]> {
  const files = [...new Glob(`${folder}/**/*.ts`).scanSync(ROOT)];
  expect(files.length).toBeGreaterThan(0);
  const found = await Promise.all(
    files.map(async (from) => {
      const text = await Bun.file(join(ROOT, from)).text();
      const named = [...text.matchAll(/^(?:import|export)[^;]*? from "([^"]+)"/gm)].flatMap(([, path]) => path ?? []);
      const all = [...named, ...transpiler.scanImports(text).map(({ path }) => path)];
      return all.map((path) => ({
        from,
        to: path.startsWith(".") ? relative(ROOT, join(ROOT, dirname(from), path)) : path,
      }));
    }),
  );
  return found.flat();
}

const outside = (imports: readonly Import[], allowed: RegExp) => imports.filter(({ to }) => !allowed.test(to));

test.each([
  ["src/domain", /^src\/domain\/|^(?:ipaddr\.js|fastest-levenshtein|node:)/],
  ["src/contracts", /^src\/(?:domain|contracts)\/|^(?:@sinclair\/typebox$|bun:test$|node:|fast-check$)/],
  ["plugins/storage/sql", /^plugins\/storage\/sql\/|^src\/(?:domain|contracts)\//],
  [
    "plugins/storage/sqlite",
    /^plugins\/storage\/sql(?:ite)?\/|^src\/(?:domain|contracts)\/|^(?:bun$|bun:sqlite|node:)/,
  ],
  [
    "plugins/storage/postgres",
    /^plugins\/storage\/(?:sql|postgres)\/|^src\/(?:domain|contracts)\/|^(?:bun$|pg-boss|node:)/,
  ],
])("%s depends on nothing but what is further inwards", async (folder, allowed) => {
  const imports = await importsOf(folder);
  expect(imports.length).toBeGreaterThan(0);
  expect(outside(imports, allowed)).toEqual([]);
});
