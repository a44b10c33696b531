import { afterEach, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { recordedWebhooks } from "../support/recordings";
import { ServerProcess, temporaryDirectory } from "../support/server-process";
import { quiet, World } from "../support/world";

const directories: Awaited<ReturnType<typeof temporaryDirectory>>[] = [];
let world: World | undefined;

afterEach(async () => {
  await world?.end();
  world = undefined;
  for (const directory of directories.splice(0)) await directory.remove();
});

/** A module outside the repository, without node_modules around it, as on an operator's machine. */
async function plugin(source: string): Promise<string> {
  const directory = await temporaryDirectory();
  directories.push(directory);
  const file = join(directory.path, "plugin.ts");
  await writeFile(file, `import { defineMatcher, defineRoute, Option, Type } from "sayna-sip";\n${source}`);
  return file;
}

const BY_NUMBER = `
export default defineMatcher({
  name: "by-number",
  contract: "1.0",
  options: Type.Object({
    number: Type.String({ description: "The number." }),
    host: Type.String({ description: "Its hook's host." }),
    token: Option.secret({ description: "A token." }),
  }),
  create({ options: { number, host, token }, log, metrics }) {
    const asked = metrics.counter({ name: "asked_total", help: "Callers.", labels: { known: ["yes", "no"] } });
    log.info({ secret: token }, "Ready for a number");
    return {
      match({ called, hooks }) {
        const known = called.number === number;
        asked.add({ known: known ? "yes" : "no" });
        const hook = known ? hooks.byHost(host) : undefined;
        return hook === undefined ? { kind: "not-mine" } : { kind: "hook", hook };
      },
      routes: [
        defineRoute({
          method: "GET",
          path: "/number",
          access: "operator",
          summary: "The number",
          handle: ({ caller }) => ({ number, who: caller.id }),
        }),
      ],
      close: () => log.info({}, "Closed"),
    };
  },
});`;

test("a matcher of one's own decides with its options, and its routes and metrics are behind the API's credentials", async () => {
  const module = await plugin(BY_NUMBER);
  const options = { number: "+15557654321", host: "numbers.example.com", token: "env:TOKEN" };
  world = await World.start({
    tenants: { a: [{ host: "tenant-a.example.com" }], numbers: [{ host: "numbers.example.com" }] },
    sip: { matchers: ["by-number", "exact-host"] },
    config: {
      plugins: [{ module, options }],
      auth: { required: true, api_secrets: [{ id: "ops", secret: "the-operators-token" }] },
    },
    env: { TOKEN: "s3cret" },
  });
  const call = recordedWebhooks("answered-call");
  await world.replay(call);
  await world.tenant("numbers").waitFor(call.length);
  await quiet([world.tenant("a"), world.tenant("numbers")]);
  expect(world.tenant("a").requests).toHaveLength(0);

  const get = async (
    path: string,
    headers: Record<string, string> = { authorization: "Bearer the-operators-token" },
  ) => {
    const answer = await fetch(`${world?.server.url}/plugins/by-number${path}`, { headers });
    return { status: answer.status, text: await answer.text() };
  };
  expect(await get("/number", {})).toMatchObject({ status: 401 });
  expect(await get("/number")).toEqual({ status: 200, text: JSON.stringify({ number: "+15557654321", who: "ops" }) });
  expect((await get("/metrics")).text).toContain('sayna_sip_plugin_by_number_asked_total{known="yes"} 2');
  await world.server.stop();
  expect(world.server.lines).toContainEqual(expect.objectContaining({ plugin: "by-number", msg: "Closed" }));
  expect(world.server.text()).not.toContain("s3cret");
});

test("a matcher that never answers holds LiveKit up until its deadline; the event is kept, and listed as unmatched", async () => {
  const module = await plugin(
    `export default defineMatcher({ name: "hanging", contract: "1.0", match: () => new Promise(() => {}) });`,
  );
  world = await World.start({
    tenants: { a: [{ host: "tenant-a.example.com" }] },
    sip: { matchers: ["hanging", "exact-host"], matcher_deadline: "200ms" },
    config: { plugins: [module] },
  });
  const call = recordedWebhooks("answered-call");
  await world.replay(call);
  const failed = await world.server.waitForLine("A matcher had not answered at sip.matcher_deadline");
  expect(failed).toMatchObject({ matcher: "hanging", event: "EV_f774qPjJiNk2" });
  await world.server.waitForLine("SIP events without a hook are listed as unmatched");
  const unmatched = await fetch(`${world.server.url}/sip/unmatched`);
  const list = (await unmatched.json()) as { unmatched: unknown[] };
  expect(list.unmatched).toHaveLength(call.length);
});

test("an operator's routes give calls by number, and only to hooks of the table", async () => {
  world = await World.start({
    tenants: { a: [{ host: "tenant-a.example.com" }], numbers: [{ host: "numbers.invalid" }] },
    sip: {
      matchers: ["called-number", "exact-host"],
      routes: [{ number: "+1 (555) 765-4321", hook: "numbers.invalid" }],
    },
  });
  const call = recordedWebhooks("answered-call");
  await world.replay(call);
  await world.tenant("numbers").waitFor(call.length);
  expect(world.tenant("a").requests).toHaveLength(0);
  const explained = await fetch(`${world.server.url}/sip/explain`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ to: "<sip:+15557654321@tenant-a.example.com>" }),
  });
  expect(await explained.json()).toMatchObject({ hooks: [{ host: "numbers.invalid" }] });
});

test.each([
  [
    "has no plugin",
    "export default { name: 'x' };",
    {},
    "has a default export that neither defineMatcher nor defineStorage made",
  ],
  ["cannot be loaded", "throw new Error('half written');", {}, "cannot be loaded: half written"],
  [
    "has wrong options",
    BY_NUMBER,
    { number: 5, hots: "x" },
    "plugins[0].options.number must be a string, not a number",
  ],
  [
    "cannot start",
    'export default defineMatcher({ name: "x", contract: "1.0", create() { throw new Error("no table"); } });',
    {},
    "The plugin x cannot start: no table",
  ],
])("a module that %s ends the start with exit code 1", async (_, source, options, message) => {
  const module = await plugin(source);
  const directory = await temporaryDirectory();
  directories.push(directory);
  const config = { plugins: [{ module, options }], sip: { room_prefix: "sip-", provision: false } };
  const server = await ServerProcess.start({ dataDir: directory.path, config, waitForPort: false });
  expect(await server.exited()).toBe(1);
  expect(server.text()).toContain(message);
});
