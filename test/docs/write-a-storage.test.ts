import { afterAll, beforeAll, expect, test } from "bun:test";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import * as testing from "../../src/testing";
import { CONTRACT_VERSIONS } from "../../src";
import { recordedWebhooks } from "../support/recordings";
import { World } from "../support/world";
import { Guide, ROOT } from "./guide";

let guide: Guide;

beforeAll(async () => {
  guide = await Guide.open("write-a-storage.md");
  // As its `cp -r` does.
  expect(guide.text).toContain("cp -r /opt/sayna-sip/examples/journal-storage journal\n");
  await cp(join(ROOT, "examples/journal-storage"), guide.path("journal"), { recursive: true });
});

afterAll(() => guide.remove());

test("its storage passes all the suites", async () => {
  const { output, code } = await guide.run("test", "--timeout=240000", "my-storage.test.ts");
  expect(output).toMatch(/\b1[0-9][0-9] pass\n 0 fail\n/);
  expect(code).toBe(0);
}, 240_000);

test("it has the types that an editor checks, with the settings of bun init", async () => {
  const { output, code } = await guide.run(join(ROOT, "node_modules/.bin/tsc"), "--noEmit");
  expect(output).toBe("");
  expect(code).toBe(0);
}, 240_000);

test("it is for the contract that there is, and its table has every suite", () => {
  expect(guide.block("my-storage.ts")).toContain(`contract: "${CONTRACT_VERSIONS.storage.at(-1)?.version}"`);
  const suites = Object.keys(testing).filter((name) => name.startsWith("test") && name !== "testMatcher");
  const rows = [...guide.text.matchAll(/^\| `(test\w+)`/gm)].map(([, name = ""]) => name);
  expect(rows.toSorted()).toEqual(suites.toSorted());
});

test("in the real service it keeps and delivers a real call, as its configuration says", async () => {
  const { plugins, sip, ...config } = parse(guide.block("my-storage.yaml")) as { plugins: string[]; sip: object };
  const world = await World.start({
    tenants: { a: [{ host: "tenant-a.example.com" }] },
    sip: { ...sip, provision: false },
    config: { ...config, plugins: plugins.map((module) => guide.path(module)) },
  });
  try {
    const call = recordedWebhooks("answered-call");
    await world.replay(call);
    await world.tenant("a").waitFor(call.length);
    expect(world.server.text()).toContain("My storage is open");
  } finally {
    await world.end();
  }
}, 240_000);
