import { beforeEach, describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { httpErrors } from "../../../plugins/http-errors";
import { createSigningKeys, signingKey } from "../../../plugins/signing-key";
import { createSecretReader } from "../../../plugins/webhook-forwarder/dispatcher/read-secret";
import { parseSecretSource } from "../../../src/domain/secret";
import { ManualClock } from "../../support/manual-clock";
import { recordingLog } from "../../support/recording-log";

const KEY = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const OTHER = `whsk_${Buffer.alloc(32, 1).toString("base64")}`;

let clock: ManualClock;
let log: ReturnType<typeof recordingLog>;
let env: Record<string, string>;

beforeEach(() => {
  clock = new ManualClock();
  log = recordingLog();
  env = { KEY, OTHER };
});

async function get(plugin: ReturnType<typeof signingKey>) {
  const app = new Elysia({ normalize: false }).use(httpErrors({ log })).use(plugin);
  const response = await app.handle(new Request("http://localhost/sip/signing-keys"));
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer };
}

type Answer = {
  keys?: { key: string; algorithm: string; until?: string }[];
  error?: { code: string; message: string };
};

const keysOf = (key: string, previous?: { secret: string; until: number }) =>
  createSigningKeys({
    sources: () => ({
      key: parseSecretSource(key),
      previous: previous === undefined ? undefined : { ...previous, secret: parseSecretSource(previous.secret) },
    }),
    readSecret: createSecretReader({ env }),
  });

describe("GET /sip/signing-keys", () => {
  test("tells anybody the public key, and nothing of the private one", async () => {
    const answer = await get(signingKey({ clock, keys: keysOf("env:KEY") }));
    expect([answer.status, answer.body]).toEqual([200, { keys: [{ key: PUBLIC, algorithm: "ed25519" }] }]);
    expect(answer.headers.get("cache-control")).toBe("public, max-age=60");
  });

  test("lists the key that is being replaced until its end, behind the new one", async () => {
    const until = clock.now() + 1000;
    const keys = keysOf("env:OTHER", { secret: "env:KEY", until });
    const { body } = await get(signingKey({ clock, keys }));
    expect(body.keys?.slice(1)).toEqual([{ key: PUBLIC, algorithm: "ed25519", until: new Date(until).toISOString() }]);
    await clock.turn(1000);
    expect((await get(signingKey({ clock, keys }))).body.keys).toEqual(body.keys?.slice(0, 1));
  });

  test("reads a changed key", async () => {
    const keys = keysOf("env:KEY");
    const plugin = signingKey({ clock, keys });
    await get(plugin);
    env["KEY"] = OTHER;
    expect((await get(plugin)).body.keys?.map(({ key }) => key)).not.toEqual([PUBLIC]);
    env["KEY"] = KEY;
    expect((await get(plugin)).body.keys?.map(({ key }) => key)).toEqual([PUBLIC]);
  });

  test("404 when no key is configured", async () => {
    expect(await get(signingKey({ clock, keys: async () => [] }))).toMatchObject({
      status: 404,
      body: { error: { code: "signing_key_not_set" } },
    });
  });

  test.each([
    ["is not there", {}, "it is not set"],
    ["is no key", { KEY: "whsk_hunter2" }, "is no ed25519 key"],
  ])("503 when the key %s; the log says which, and nothing shows it", async (_, variables, why) => {
    env = variables;
    const { status, body } = await get(signingKey({ clock, keys: keysOf("env:KEY") }));
    expect([status, body.error?.code]).toEqual([503, "signing_key_unavailable"]);
    expect(JSON.stringify(body)).not.toContain("env:KEY");
    const logged = Bun.inspect(log.lines, { depth: 10 });
    expect(logged).toContain(`the secret env:KEY`);
    expect(logged).toContain(why);
    expect(logged + JSON.stringify(body)).not.toContain("hunter2");
  });
});
