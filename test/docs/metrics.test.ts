import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { CATALOGUE } from "../../plugins/metrics/catalogue";
import { quoted, ROOT, tableRows } from "../readme/readme";

const FILE = join(ROOT, "docs/metrics.md");
const page = await Bun.file(FILE).text();
/** Everything that is named anywhere on the page and looks like a metric. */
const named = [...page.matchAll(/\b(?:sayna_sip|process)_[a-z0-9_]+/g)].map(([name]) => name);

test("the page lists every metric with its type, its labels and its own help, and no other", () => {
  const rows = tableRows(page)
    .filter(([name = ""]) => /^`(sayna_sip|process)_/.test(name))
    .map(([name = "", kind, labels = "", help]) => ({ name: quoted(name)[0], kind, labels: quoted(labels), help }));
  expect(rows).toEqual(
    CATALOGUE.map(({ name, kind, labels = [], help }) => ({ name, kind, labels: [...labels], help })) as typeof rows,
  );
});

test("its text names no metric that there is not", () => {
  const known = new Set(CATALOGUE.map(({ name }) => name));
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});

test("its links lead to files", () => {
  const links = [...page.matchAll(/\]\(([^)#]+)\)/g)].map(([, link = ""]) => link);
  expect(links.length).toBeGreaterThan(1);
  expect(links.filter((link) => !link.startsWith("https:") && !existsSync(join(dirname(FILE), link)))).toEqual([]);
});
