import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { recordedWebhooks } from "../support/recordings";
import { quiet, World } from "../support/world";

const EXAMPLES = join(import.meta.dir, "../../examples");
const directory = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: (request) =>
    request.url.endsWith("/%2B15557654321")
      ? Response.json({ host: "tenant-b.example.com" })
      : new Response("unknown", { status: 404 }),
});

let world: World;

type Example = { plugins: (string | { module: string; options: object })[]; sip: object; storage?: string };

async function start(example: string, adapt: (options: object) => object = (options) => options): Promise<void> {
  const yaml = await readFile(join(EXAMPLES, example, "sayna-sip.yaml"), "utf8");
  const { plugins, sip, ...rest } = parse(yaml) as Example;
  world = await World.start({
    tenants: { a: [{ host: "tenant-a.example.com" }], b: [{ host: "tenant-b.example.com" }] },
    sip: { ...sip, provision: false },
    config: {
      ...rest,
      plugins: plugins.map((entry) => {
        const { module, options = {} } = typeof entry === "string" ? { module: entry } : entry;
        return { module: join(EXAMPLES, example, module), options: adapt(options) };
      }),
    },
    env: { DIRECTORY_TOKEN: "s3cret" },
  });
}

beforeEach(() => {
  directory.ref();
});

afterEach(async () => {
  await world.end();
  directory.unref();
});

test("the example journal-storage keeps and delivers a real call, also over a kill -9", async () => {
  await start("journal-storage");
  const call = recordedWebhooks("answered-call");
  await world.replay(call.slice(0, 5));
  await world.server.killHard();
  await world.startAgain();
  // The fifth is LiveKit's repetition.
  await world.replay(call.slice(4));
  await world.tenant("a").waitFor(call.length);
  await quiet([world.tenant("a")]);
  const ids = world.tenant("a").requests.map((request) => request.header("webhook-id"));
  // At least once, in order: what was under way at the kill may have come twice.
  expect([...new Set(ids)]).toEqual(call.map(({ json }) => String(json.id)));
});

test.each([
  // The table of the example gives the number of the recorded call to tenant-a, whom it calls by host, too.
  ["csv-matcher", "a", (options: object) => ({ ...options, file: join(EXAMPLES, "csv-matcher/numbers.csv") })],
  ["http-matcher", "b", (options: object) => ({ ...options, url: `http://127.0.0.1:${directory.port}/{number}` })],
])(
  "the example %s routes a real call in the real service, as its sayna-sip.yaml says",
  async (example, tenant, adapt) => {
    await start(example, adapt);
    const call = recordedWebhooks("answered-call");
    await world.replay(call);
    await world.tenant(tenant).waitFor(call.length);
    await quiet([world.tenant("a"), world.tenant("b")]);
    const calls = (await (await fetch(`${world.server.url}/sip/calls`)).json()) as {
      calls: { participants: { sip: boolean; matcher?: string }[] }[];
    };
    const [caller] = calls.calls[0]?.participants.filter(({ sip }) => sip) ?? [];
    expect(caller?.matcher).toBe(example === "csv-matcher" ? "csv-numbers" : "http-numbers");
  },
);
