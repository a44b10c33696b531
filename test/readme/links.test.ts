import { expect, test } from "bun:test";
import { readPage } from "../docs/markdown-page";
import { README } from "./readme";

test("the table of contents lists every chapter, in order", () => {
  const chapters = readPage("README.md").headings.filter(({ level }) => level === 2);
  const list = chapters.map(({ title, anchor }) => `- [${title}](#${anchor})`);
  expect(README).toContain(`\n\n${list.join("\n")}\n\n`);
});

test("every other host is LiveKit's, Standard Webhooks', this machine, or an example", () => {
  const hosts = [...README.matchAll(/\b(?:https?|wss?):\/\/(\w[\w.-]*)/g)].map(([, host = ""]) => host);
  const known = /^((docs\.|get\.)?livekit\.io|www\.standardwebhooks\.com|127\.0\.0\.1|localhost|.*\.example(\.com)?)$/;
  expect(hosts.filter((host) => !known.test(host))).toEqual([]);
});
