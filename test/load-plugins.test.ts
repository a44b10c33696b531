import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadPlugins, PluginError } from "../src/load-plugins";
import { temporaryDirectory } from "./support/server-process";

const MATCHER = "export default { name: 'mine', match: () => ({ kind: 'none' }) };";

test("a relative path begins at the configuration's directory, an absolute one is taken as it is", async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory.path, "mine.ts"), MATCHER);
  for (const module of ["./mine.ts", join(directory.path, "mine.ts")]) {
    const [matcher] = await loadPlugins([module], directory.path);
    expect(matcher?.name).toBe("mine");
  }
  await directory.remove();
});

test.each([
  ["nothing", "export {};"],
  ["a function", "export default () => {};"],
  ["no name", "export default { match: () => ({ kind: 'none' }) };"],
  ["no match", "export default { name: 'x' };"],
])("a default export that is %s is refused with what is missing", async (_, source) => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory.path, "broken.ts"), source);
  const error = await loadPlugins(["./broken.ts"], directory.path).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(PluginError);
  expect(String(error)).toContain("./broken.ts has no matcher as its default export");
  await directory.remove();
});

test("a module that is not there is named", async () => {
  await expect(loadPlugins(["./nowhere.ts"], "/")).rejects.toThrow(/plugin .\/nowhere.ts cannot be loaded/);
});
