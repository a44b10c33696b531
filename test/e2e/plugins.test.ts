import { afterEach, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { recordedWebhooks } from "../support/recordings";
import { ServerProcess, temporaryDirectory } from "../support/server-process";
import { World } from "../support/world";

const directories: Awaited<ReturnType<typeof temporaryDirectory>>[] = [];
let world: World | undefined;

afterEach(async () => {
  await world?.end();
  world = undefined;
  for (const directory of directories.splice(0)) await directory.remove();
});

async function plugin(source: string): Promise<string> {
  const directory = await temporaryDirectory();
  directories.push(directory);
  const file = join(directory.path, "plugin.ts");
  await writeFile(file, source);
  return file;
}

test("a matcher of one's own is loaded from the module that the configuration names, and asked in its place", async () => {
  const module = await plugin(`export default {
    name: "by-number",
    match({ participant, hooks }) {
      if (participant.attributes["sip.trunkPhoneNumber"] !== "+15557654321") return { kind: "not-mine" };
      const hook = hooks.all().find(({ host }) => host === "numbers.example.com");
      return hook === undefined ? { kind: "none" } : { kind: "hook", hook };
    },
  };`);
  world = await World.start({
    tenants: { a: [{ host: "tenant-a.example.com" }], numbers: [{ host: "numbers.example.com" }] },
    sip: { matchers: ["by-number", "exact-host"] },
    config: { plugins: [module] },
  });
  const call = recordedWebhooks("answered-call");
  await world.replay(call);
  await world.tenant("numbers").waitFor(call.length);
  expect(world.tenant("a").requests).toHaveLength(0);
});

test.each([
  ["has no matcher", "export default { name: 'x' };", "has no matcher as its default export"],
  ["cannot be loaded", "throw new Error('half written');", "cannot be loaded: half written"],
])("a module that %s ends the start with exit code 1", async (_, source, message) => {
  const module = await plugin(source);
  const directory = await temporaryDirectory();
  directories.push(directory);
  const config = { plugins: [module], sip: { room_prefix: "sip-", provision: false } };
  const server = await ServerProcess.start({ dataDir: directory.path, config, waitForPort: false });
  expect(await server.exited()).toBe(1);
  expect(server.text()).toContain(message);
  expect(server.text()).toContain(module);
});
