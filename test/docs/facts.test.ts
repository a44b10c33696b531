import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { load } from "../plugins/config-loader/load-text";
import { VARIABLE_NAMES } from "../../plugins/config-loader/variables";
import { configTable } from "../readme/config-table";
import { errorTable } from "../readme/error-table";
import { quoted, section, tableRows } from "../readme/readme";
import { isWritten } from "../readme/written-messages";
import { PAGES, readPage, ROOT, type MarkdownPage } from "./markdown-page";

const pages = PAGES.filter((path) => path.startsWith("docs/")).map(readPage);
/** What pages name of LiveKit's, of HTTP's and of other programs'. */
const FOREIGN = [/^Rejecting inbound, /, /^Authorization: Bearer/, /^\w+\.\w+\(/, /^Ed25519PublicKey/];

const all = (find: (page: MarkdownPage) => readonly string[]): readonly (readonly [string, string])[] =>
  pages.flatMap((page) => [...new Set(find(page))].map((text) => [text, page.path] as const));

test.each(all(({ quoted: texts }) => texts.filter((text) => /^[A-Z…][^<>]* \S+ \S/.test(text) && !isForeign(text))))(
  "the message `%s` of %s is one that the program writes",
  (message) => {
    expect({ message, isWritten: isWritten(message) }).toEqual({ message, isWritten: true });
  },
);

function isForeign(text: string): boolean {
  return FOREIGN.some((pattern) => pattern.test(text)) || /^(GET|POST|DELETE) \/|^[A-Z_]+=/.test(text);
}

/** Configurations of other programs. */
const OF_OTHERS = new Set(["livekit.yaml", "prometheus.yml"]);

describe("the configurations that the pages show load as they stand", () => {
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const examples = pages.flatMap(({ path, blocks, text }) => [
    ...blocks
      .filter(({ language, name }) => language === "yaml" && !OF_OTHERS.has(name))
      .map(({ name, content }) => [path, name, content] as const),
    ...[...text.matchAll(/^cat > (\S+\.yaml) <<'END'\n([^]*?)^END$/gm)].map(
      ([, name = "", content = ""]) => [path, name, content] as const,
    ),
  ]);
  // The guides for plugin authors have tests of their own, which run what they show.
  test.each(examples.filter(([path]) => !path.startsWith("docs/write-")))("%s: %s", (_path, _name, content) => {
    const names = [...content.matchAll(/file:[\w./-]*?([\w-]+)(?=[\s,}])/g)].map(([, name = ""]) => name);
    const yaml = content.replaceAll(/file:[\w./-]*?([\w-]+)(?=[\s,}])/g, "env:$1");
    expect(load(yaml, Object.fromEntries(names.map((name) => [name, secret])))).toBeDefined();
  });
});

describe("the pages name", () => {
  const settings = new Set(configTable().flatMap(([name = ""]) => quoted(name)));
  const isSetting = (text: string): boolean =>
    [...settings].some((name) => name === text || name.startsWith(`${text}.`) || name.startsWith(`${text}[`));

  test("settings that there are", () => {
    const named = all(({ quoted: texts }) =>
      texts.flatMap((text) => /^(?:server|retention|livekit|auth|sip)\.[a-z_.]+(?![\w-])/.exec(text) ?? []),
    );
    expect(named.length).toBeGreaterThan(10);
    // An event's attributes begin like settings.
    expect(named.filter(([text]) => !isSetting(text) && !text.startsWith("sip.h."))).toEqual([]);
  });

  test("variables that there are", () => {
    const known = new Set(VARIABLE_NAMES);
    const named = all(({ text }) => [...text.matchAll(/\b(?:SIP|LIVEKIT|AUTH|RETENTION)_[A-Z_]+\b/g)].map(String));
    expect(named.filter(([name]) => !known.has(name))).toEqual([]);
  });

  test("routes that there are", () => {
    const routes = new Set(tableRows(section("The API")).flatMap(([route = ""]) => quoted(route).slice(0, 1)));
    const named = all(({ quoted: texts }) =>
      texts.filter((text) => /^(GET|POST|DELETE) \/(sip|health|livekit)/.test(text)),
    );
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter(([route]) => !routes.has(route))).toEqual([]);
  });

  test("errors that there are, with their status", () => {
    const errors = new Set(errorTable().map(([status = "", code = ""]) => `${status} ${code}`));
    const named = all(({ text }) =>
      [...text.matchAll(/\b([45]\d\d) `([a-z_]+)`/g)].map(([, status, code]) => `${status} \`${code}\``),
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter(([error]) => !errors.has(error))).toEqual([]);
  });

  test("files and folders that there are", () => {
    const named = all(({ quoted: texts }) => texts.filter((text) => /^(src|plugins|bench|test)\/[\w./-]+$/.test(text)));
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter(([path]) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

test("the picture of the tree has every folder of src and plugins, and none that is not there", async () => {
  const tree = readPage("docs/architecture.md").blocks.find(({ content }) => content.startsWith("src/\n"))?.content;
  let top = "";
  const shown = (tree ?? "").split("\n").flatMap((line) => {
    const [, indent = "", name = ""] = /^( *)(\S+)/.exec(line) ?? [];
    if (indent === "") top = name;
    return name === "" ? [] : [indent === "" ? name : `${top}${name}`];
  });
  expect(shown.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  const folders = [...new Bun.Glob("{src,plugins}/*/**/*.ts").scanSync(ROOT)].map(
    (path) => `${path.split("/").slice(0, 2).join("/")}/`,
  );
  expect([...new Set(folders)].filter((path) => !shown.includes(path))).toEqual([]);
});
