import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { recordedWebhooks } from "../support/recordings";
import { temporaryDirectory } from "../support/server-process";
import { quiet, World } from "../support/world";
import { codeBlock } from "./readme";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let world: World;

beforeAll(async () => {
  directory = await temporaryDirectory();
  await writeFile(join(directory.path, "by-number.ts"), codeBlock("by-number.ts"));
  const { plugins, sip } = parse(codeBlock("by-number.yaml")) as { plugins: string[]; sip: object };
  world = await World.start({
    tenants: { a: [{ host: "tenant-a.example.com" }], b: [{ host: "tenant-b.example.com" }] },
    sip: { ...sip, provision: false },
    config: { plugins: plugins.map((module) => join(directory.path, module)) },
  });
});

afterAll(async () => {
  await world.end();
  await directory.remove();
});

test("the README's matcher sends a call to the tenant of its number, whatever host was called", async () => {
  const call = recordedWebhooks("answered-call");
  await world.replay(call);
  await world.tenant("b").waitFor(call.length);
  await quiet([world.tenant("a"), world.tenant("b")]);
  expect(world.tenant("a").requests).toHaveLength(0);
});
