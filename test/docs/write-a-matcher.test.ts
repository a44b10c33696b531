import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { parse } from "yaml";
import { CONTRACT_VERSIONS } from "../../src";
import { recordedWebhooks } from "../support/recordings";
import { World } from "../support/world";
import { Guide, ROOT } from "./guide";

let guide: Guide;

beforeAll(async () => {
  guide = await Guide.open("write-a-matcher.md");
});

afterAll(() => guide.remove());

test("its matchers pass their tests, the suite among them", async () => {
  const { output, code } = await guide.run("test", "--timeout=240000");
  expect(output).toMatch(/\b2[0-9] pass\n 0 fail\n/);
  expect(code).toBe(0);
}, 240_000);

test("they have the types that an editor checks, with the settings of bun init", async () => {
  const { output, code } = await guide.run(join(ROOT, "node_modules/.bin/tsc"), "--noEmit");
  expect(output).toBe("");
  expect(code).toBe(0);
}, 240_000);

test("they are for the contract that there is", () => {
  const current = CONTRACT_VERSIONS.matcher.at(-1)?.version ?? "";
  const versions = [...guide.text.matchAll(/contract: "([\d.]+)"/g)].map(([, version = ""]) => version);
  expect(new Set(versions)).toEqual(new Set([current]));
});

test("in the real service they route a real call, as its configuration says", async () => {
  const service = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) =>
      new URL(request.url).searchParams.get("caller") === "+15550100"
        ? new Response("before.example.com")
        : new Response("", { status: 404 }),
  });
  type Entry = { module: string; options: Record<string, unknown> };
  const { plugins, sip } = parse(guide.block("after-hours.yaml")) as { plugins: Entry[]; sip: { matchers: string[] } };
  const [afterHours] = plugins;
  const entries = (options: object) => [
    { module: guide.path("after-hours.ts"), options: { ...afterHours?.options, ...options } },
    { module: guide.path("counting.ts") },
    { module: guide.path("same-as-before.ts"), options: { url: `http://127.0.0.1:${service.port}/` } },
    guide.path("smallest.ts"),
  ];
  const tenants = {
    day: [{ host: "tenant-a.example.com" }],
    night: [{ host: "night.tenant-a.example.com" }],
    before: [{ host: "before.example.com" }],
  };
  const call = recordedWebhooks("answered-call");
  // From 0 until 0 it is always night.
  for (const [matchers, options, tenant] of [
    [["counting", ...sip.matchers], { from: 0, until: 0 }, "night"],
    [["counting", "same-as-before", ...sip.matchers], { from: 0, until: 0 }, "before"],
    [["smallest"], {}, "night"],
  ] as const) {
    const world = await World.start({
      tenants,
      sip: { ...sip, provision: false, matchers },
      config: { plugins: entries(options) },
    });
    await world.replay(call);
    await world.tenant(tenant).waitFor(call.length);
    const last = await fetch(`${world.server.url}/plugins/counting/last`);
    const expected = matchers[0] === "counting" ? "+15557654321" : "nobody";
    expect(await last.json()).toEqual({ last: expected });
    await world.end();
  }
  await service.stop(true);
}, 240_000);
