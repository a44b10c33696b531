import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { quoted, ROOT, section, tableRows } from "./readme";

type Packages = Readonly<Record<string, string>>;

const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  dependencies: Packages;
  devDependencies: Packages;
};

test("the table names the place of every dependency, and of no other package", () => {
  const named = tableRows(section("Dependencies")).flatMap(([names = ""]) => quoted(names));
  expect(named.toSorted()).toEqual(Object.keys(dependencies).toSorted());
});

test("the text below names every package that only development needs", () => {
  const [, text = ""] = section("Dependencies").split("For development:");
  expect(quoted(text).toSorted()).toEqual(Object.keys(devDependencies).toSorted());
});
