import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { binaryName } from "../../build/compile-binary";
import { TARGETS } from "../../build/target";
import { CONTRACT_VERSIONS } from "../../src";
import packageJson from "../../package.json" with { type: "json" };
import { readUnit, valuesOf } from "../deploy/deployed";
import { README, ROOT } from "../readme/readme";

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const PAGES = { "docs/deploy.md": read("docs/deploy.md"), "docs/upgrading.md": read("docs/upgrading.md") };
const deploy = PAGES["docs/deploy.md"];
const upgrading = PAGES["docs/upgrading.md"];

/** As GitHub makes them. */
const anchorsOf = (page: string): readonly string[] =>
  [...page.replaceAll(/^```[^]*?^```$/gm, "").matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

test.each(Object.entries(PAGES))("every link of %s leads to a file, and to a heading of it", (_, page) => {
  const links = [...page.matchAll(/\]\(([^)]*)\)/g)].map(([, target = ""]) => target.split("#"));
  expect(links.length).toBeGreaterThan(5);
  const broken = links.filter(([file = "", anchor]) => {
    const path = file === "" ? undefined : join("docs", file);
    if (path !== undefined && !existsSync(join(ROOT, path))) return true;
    const target = path === undefined ? page : path === "README.md" ? README : path.endsWith(".md") ? read(path) : "";
    return anchor !== undefined && !anchorsOf(target).includes(anchor);
  });
  expect(broken).toEqual([]);
});

test.each(Object.entries(PAGES))(
  "%s names files that there are, and programs and images of this version",
  (_, page) => {
    const files = [...page.matchAll(/\bdeploy\/[\w./-]+\w/g)].map(([file]) => file);
    expect(files.filter((file) => file !== "deploy/.env" && !existsSync(join(ROOT, file)))).toEqual([]);
    const binaries = [...page.matchAll(/sayna-sip-\d[\w.-]*\w/g)].map(([name]) => name);
    expect(binaries.filter((name) => !TARGETS.map((target) => binaryName(target)).includes(name))).toEqual([]);
    const images = [...page.matchAll(/sayna-sip:(\d[\w.]*)/g)].map(([, version]) => version);
    expect(images.filter((version) => version !== packageJson.version)).toEqual([]);
  },
);

test("the files that the commands for systemd make are those that the unit loads", () => {
  const unit = readUnit(read("deploy/systemd/sayna-sip.service"));
  const loaded = valuesOf(unit, "LoadCredential").map((line) => line.split(":")[1] ?? "");
  const made = [...deploy.matchAll(/> (\/etc\/sayna-sip\/[\w-]+)$/gm)].map(([, file = ""]) => file);
  expect(made.toSorted()).toEqual(loaded.toSorted());
  const [program = ""] = (valuesOf(unit, "ExecStart")[0] ?? "").split(" ");
  expect(deploy).toContain(`/sayna-sip-${packageJson.version}-linux-x64 ${program}\n`);
});

test("the secrets that the commands for Podman make are those that the Quadlet mounts", () => {
  const mounted = valuesOf(readUnit(read("deploy/quadlet/sayna-sip.container")), "Secret").map(
    (line) => line.split(",")[0] ?? "",
  );
  const made = [...deploy.matchAll(/podman secret create ([\w-]+) -/g)].map(([, name = ""]) => name);
  expect(made.toSorted()).toEqual(mounted.toSorted());
});

test("what the pages say that the program says, it says", () => {
  const sources = ["plugins/storage/sqlite/open-database.ts", "plugins/storage/postgres/migrations/index.ts"]
    .map(read)
    .join("");
  for (const message of [
    "The database is brought to a newer schema",
    "works with programs of schema version",
    "and this program knows",
  ]) {
    expect(sources).toContain(message);
  }
  expect(upgrading.replaceAll(/\s+/g, " ")).toContain("`The database is brought to a newer schema`");
  expect(upgrading).toContain("`works with programs of schema version`");
  expect(upgrading).toContain(`\`contract: "${CONTRACT_VERSIONS.matcher[0]?.version}"\``);
});
