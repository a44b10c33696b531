import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PROSE, README, ROOT } from "./readme";

const HEADINGS = [...PROSE.matchAll(/^(#+) (.*)$/gm)].map(([, marks = "", title = ""]) => ({
  level: marks.length,
  title,
  anchor: anchorOf(title),
}));
const LINKS = [...PROSE.matchAll(/\[[^\]]*\]\(([^)]*)\)/g)].map(([, target = ""]) => target);

/** As GitHub makes it. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

test("every link to a heading leads to one, and no two headings have the same anchor", () => {
  const anchors = HEADINGS.map(({ anchor }) => `#${anchor}`);
  expect(new Set(anchors).size).toBe(anchors.length);
  const inside = LINKS.filter((link) => link.startsWith("#"));
  expect(inside.length).toBeGreaterThan(10);
  expect(inside.filter((link) => !anchors.includes(link))).toEqual([]);
});

test("every link to a file leads to one", () => {
  const files = LINKS.filter((link) => !/^(#|https:)/.test(link));
  expect(files).toContain("sayna-sip.example.yaml");
  expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

test("the table of contents lists every chapter, in order", () => {
  const chapters = HEADINGS.filter(({ level }) => level === 2).map(({ title, anchor }) => `- [${title}](#${anchor})`);
  expect(README).toContain(`\n\n${chapters.join("\n")}\n\n`);
});

test("every other host is LiveKit's, Standard Webhooks', this machine, or an example", () => {
  const hosts = [...README.matchAll(/\b(?:https?|wss?):\/\/(\w[\w.-]*)/g)].map(([, host = ""]) => host);
  const known = /^((docs\.|get\.)?livekit\.io|www\.standardwebhooks\.com|127\.0\.0\.1|localhost|.*\.example(\.com)?)$/;
  expect(hosts.filter((host) => !known.test(host))).toEqual([]);
});
