import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../plugins/config-loader";
import { loadPlugins, PluginError } from "../src/load-plugins";
import { load } from "./plugins/config-loader/load-text";
import { temporaryDirectory } from "./support/server-process";

const MATCHER = `import { defineMatcher } from "sayna-sip";
export default defineMatcher({ name: "mine", contract: "1.0", match: () => ({ kind: "none" }) });`;

const WITH_OPTIONS = `import { defineMatcher, Option, Type } from "sayna-sip";
export default defineMatcher({
  name: "mine",
  contract: "1.0",
  options: Type.Object({
    file: Option.path({ description: "A file.", default: "table.csv" }),
    token: Type.Optional(Option.secret({ description: "A token." })),
    keep: Option.duration({ description: "A time.", default: "5m" }),
    most: Type.Integer({ description: "A number.", default: 10, minimum: 1, maximum: 100 }),
    mode: Type.Union([Type.Literal("fast"), Type.Literal("slow")], { description: "A mode.", default: "fast" }),
    labels: Type.Array(Type.String({ description: "A label.", pattern: "^[a-z]+$" }), { description: "Labels.", default: [] }),
    nested: Type.Object({ url: Type.String({ description: "A URL." }) }, { description: "A block.", default: { url: "x" } }),
  }),
  create: () => ({ match: () => ({ kind: "none" }) }),
});`;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let files = 0;

beforeAll(async () => {
  directory = await temporaryDirectory();
});

afterAll(() => directory.remove());

/** A module of this source; its path as a configuration in the same directory names it. */
async function moduleOf(source: string): Promise<string> {
  const name = `./plugin-${++files}.ts`;
  await writeFile(join(directory.path, name), source);
  return name;
}

function loadAll(yaml: string, env: Record<string, string> = {}) {
  return loadPlugins(load(yaml).plugins, { directory: directory.path, env });
}

async function failure(yaml: string, env?: Record<string, string>): Promise<Error> {
  try {
    await loadAll(yaml, env);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("it loaded, although it should not have");
}

describe("a module is found", () => {
  test("by a path from the configuration's directory, and by an absolute one", async () => {
    const module = await moduleOf(MATCHER);
    for (const path of [module, join(directory.path, module)]) {
      const [plugin] = await loadAll(`plugins: [${path}]`);
      expect(plugin).toMatchObject({ name: "mine", plugin: { kind: "matcher", contract: "1.0" }, options: {} });
    }
  });

  test("as a package beside the configuration, although sayna-sip is installed elsewhere", async () => {
    const folder = join(directory.path, "node_modules", "sip-by-moon");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "sip-by-moon", main: "index.ts" }));
    await writeFile(join(folder, "index.ts"), MATCHER);
    const [plugin] = await loadAll("plugins: [sip-by-moon]");
    expect(plugin?.name).toBe("mine");
  });

  test("twice, when one of the two is given another name", async () => {
    const module = await moduleOf(MATCHER);
    const plugins = await loadAll(`plugins: [${module}, {module: ${module}, name: yours}]`);
    expect(plugins.map(({ name }) => name)).toEqual(["mine", "yours"]);
    expect(String(await failure(`plugins: [${module}, ${module}]`))).toContain("has the name of another one, mine");
  });
});

describe("what cannot be used is refused with what to do", () => {
  test.each([
    ["nothing", "export {};", /has no plugin as its default export: export default defineMatcher/],
    ["a function", "export default () => {};", /has no plugin as its default export/],
    [
      "a matcher that no builder made",
      "export default { name: 'x', match: () => ({ kind: 'none' }) };",
      /was not made by defineMatcher: export default defineMatcher\(\{name, contract: "1.0"/,
    ],
    ["something else", "export default { a: 1 };", /neither defineMatcher nor defineStorage made/],
    [
      "without a version",
      `import { defineMatcher } from "sayna-sip"; export default defineMatcher({ name: "x", match: () => ({ kind: "none" }) });`,
      /does not say which version of the matcher contract it was written for: add contract: "1.0"/,
    ],
    [
      "of a later version",
      MATCHER.replace("1.0", "1.7"),
      /was written for version 1.7 of the matcher contract; sayna-sip [\d.]+ has version 1.0, which lacks what came later/,
    ],
    [
      "of a version with another number in front",
      MATCHER.replace("1.0", "0.9"),
      /was written for version 0.9 .* What changed: 1.0: .*defineMatcher/,
    ],
    ["with a name of its own kind", MATCHER.replace("mine", "My Matcher"), /a plugin's name has lower-case letters/],
    [
      "with options that nobody explains",
      WITH_OPTIONS.replace(`description: "A time.", `, ""),
      /options.keep has no description/,
    ],
    ["half written", "throw new Error('half written');", /cannot be loaded: half written/],
  ])("%s", async (_, source, message) => {
    const module = await moduleOf(source);
    const error = await failure(`plugins: [${module}]`);
    expect(error).toBeInstanceOf(PluginError);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(module);
  });

  test("a module that is not there", async () => {
    for (const module of ["./nowhere.ts", "no-such-package"]) {
      expect(String(await failure(`plugins: [${module}]`))).toMatch(
        /cannot be loaded: .*\. A path begins at the configuration file's directory/,
      );
    }
  });
});

describe("options are read as our own settings are", () => {
  test("defaults are filled in, values decoded, paths made absolute, secrets read and not shown", async () => {
    const module = await moduleOf(WITH_OPTIONS);
    await writeFile(join(directory.path, "token"), "from-a-file\n");
    const [defaults, given] = await loadAll(
      `plugins: [${module}, {module: ${module}, name: other, options: {file: ../x.csv, token: "env:TOKEN", keep: 1h, mode: slow}}]`,
      { TOKEN: "s3cret" },
    );
    expect(defaults?.options).toEqual({
      file: join(directory.path, "table.csv"),
      keep: 300_000,
      most: 10,
      mode: "fast",
      labels: [],
      nested: { url: "x" },
    });
    const options = given?.options as { token: { reveal(): string } };
    expect(options).toMatchObject({ file: join(directory.path, "../x.csv"), keep: 3_600_000, mode: "slow" });
    expect(options.token.reveal()).toBe("s3cret");
    expect(`${JSON.stringify(options)} ${Bun.inspect(options)}`).not.toContain("s3cret");
    const [fromFile] = await loadAll(
      `plugins: [{module: ${module}, options: {token: "file:${directory.path}/token"}}]`,
    );
    expect((fromFile?.options as typeof options | undefined)?.token.reveal()).toBe("from-a-file");
  });

  test("all that is wrong is told at once, each with its line, name, and what to do; secrets are not repeated", async () => {
    const module = await moduleOf(WITH_OPTIONS);
    const error = await failure(`plugins:
  - module: ${module}
    options:
      fil: x
      keep: soon
      most: 1000
      mode: quick
      labels: [ok, NO]
      token: env:NOT_SET
      nested: {url: 5, extra: 1}
  - module: ${module}
    name: second
    options:
      token: " s3cret"
`);
    expect(error).toBeInstanceOf(ConfigError);
    const { problems } = error as ConfigError;
    const line = ({ source, message, hint }: (typeof problems)[number]) =>
      `${source.replace(/^.*yaml:/, "")} ${message} | ${hint}`;
    expect(problems.map(line)).toEqual([
      "4:7 Unknown key 'fil' in plugins[0].options | Did you mean 'file'?",
      "5:7 plugins[0].options.keep is not a duration: 'soon' | Write a whole number above 0 and its unit (ms, s, m, h or d): 250ms, 10s, 5m, 24h.",
      "6:7 plugins[0].options.most must be a whole number from 1 to 100, not 1000 | Write a number within these limits, without quotes.",
      "7:7 plugins[0].options.mode must be fast or slow | Write one of them.",
      "8:20 plugins[0].options.labels[1] must be a string that fits ^[a-z]+$ | Write what fits.",
      "9:7 plugins[0].options.token refers to the variable 'NOT_SET', which is not set | Set the variable, or change the reference.",
      "10:16 plugins[0].options.nested.url must be a string, not a number | Write a string; what reads as a number or as true needs quotes.",
      "10:24 Unknown key 'extra' in plugins[0].options.nested | Known here: url.",
      "14:7 plugins[1].options.token begins or ends with white space | Remove it; a line break at the end often comes from the command that made the secret (echo without -n).",
    ]);
  });

  test("a plugin without options takes none", async () => {
    const module = await moduleOf(MATCHER);
    expect(String(await failure(`plugins: [{module: ${module}, options: {a: 1}}]`))).toContain(
      "Unknown key 'a' in plugins[0].options",
    );
  });
});

test("the sayna-sip that a plugin imports is this one, also when its directory has another copy of it", async () => {
  const copy = join(directory.path, "node_modules", "sayna-sip");
  await mkdir(copy, { recursive: true });
  await writeFile(join(copy, "package.json"), JSON.stringify({ name: "sayna-sip", main: "index.ts" }));
  await writeFile(join(copy, "index.ts"), "export const defineMatcher = () => 'another copy';");
  const [plugin] = await loadAll(`plugins: [${await moduleOf(MATCHER)}]`);
  expect(plugin?.plugin.kind).toBe("matcher");
});
