import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { PAGES, readPage, ROOT } from "./markdown-page";

const pages = PAGES.map(readPage);
const anchorsOf = new Map(pages.map(({ path, headings }) => [path, headings.map(({ anchor }) => anchor)]));

test("the pages are the README and those of docs, the examples and the bench", () => {
  expect(PAGES).toContain("README.md");
  expect(PAGES).toContain("docs/README.md");
  expect(PAGES.filter((path) => !/^(README\.md$|docs\/|examples\/|bench\/|deploy\/)/.test(path))).toEqual([]);
});

describe.each(pages)("of the links in $path", ({ path, links, headings }) => {
  const inside = links.filter((link) => !/^[a-z]+:/.test(link));
  const targets = inside.map((link) => {
    const [file = "", anchor] = link.split("#");
    return { link, file: file === "" ? path : normalize(join(dirname(path), file)), anchor };
  });

  test("every one to a file or a folder leads to one", () => {
    expect(targets.filter(({ file }) => !existsSync(join(ROOT, file))).map(({ link }) => link)).toEqual([]);
  });

  test("every one to a heading leads to one, which is the only one of its name", () => {
    const broken = targets.filter(
      ({ file, anchor }) =>
        anchor !== undefined && anchorsOf.get(file)?.filter((there) => there === anchor).length !== 1,
    );
    expect(broken.map(({ link }) => link)).toEqual([]);
  });

  test("none is written in a way that only looks like a link to somewhere else", () => {
    const elsewhere = links.filter((link) => /^[a-z]+:/.test(link));
    expect(elsewhere.filter((link) => !link.startsWith("https://"))).toEqual([]);
    expect(headings.filter(({ anchor }) => anchor === "")).toEqual([]);
  });
});

describe("docs/", () => {
  const inDocs = pages.filter(({ path }) => path.startsWith("docs/") && path !== "docs/README.md");

  test("has every page in its index, and the README leads to the index", () => {
    const listed = new Set(readPage("docs/README.md").links.map((link) => `docs/${link}`));
    expect(inDocs.map(({ path }) => path).filter((path) => !listed.has(path))).toEqual([]);
    expect(readPage("README.md").links).toContain("docs/README.md");
  });

  test.each(inDocs)("$path has one title, and its list of contents every chapter in order", ({ headings, text }) => {
    expect(headings.filter(({ level }) => level === 1)).toHaveLength(1);
    const chapters = headings.filter(({ level }) => level === 2).map(({ anchor }) => anchor);
    const before = text.slice(0, text.indexOf("\n## "));
    const listed = [...before.matchAll(/^(?:-|\d+\.) \[[^\]]*\]\(#([^)]*)\)/gm)].map(([, anchor = ""]) => anchor);
    if (listed.length > 0) expect(listed).toEqual(chapters);
  });
});
