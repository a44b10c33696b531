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

async function start(example: string, adapt: (options: Record<string, unknown>) => Record<string, unknown>) {
  const yaml = await readFile(join(EXAMPLES, example, "sayna-sip.yaml"), "utf8");
  const { plugins, sip } = parse(yaml) as { plugins: { module: string; options: object }[]; sip: object };
  world = await World.start({
    tenants: { a: [{ host: "tenant-a.example.com" }], b: [{ host: "tenant-b.example.com" }] },
    sip: { ...sip, provision: false },
    config: {
      plugins: plugins.map(({ module, options }) => ({
        module: join(EXAMPLES, example, module),
        options: adapt({ ...options }),
      })),
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
