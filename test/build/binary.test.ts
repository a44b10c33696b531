import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { binaryName, compileBinary } from "../../build/compile-binary";
import { installRuntimes } from "../../build/install-runtimes";
import type { Target } from "../../build/target";
import packageJson from "../../package.json" with { type: "json" };
import { startFakeLiveKit } from "../support/fake-livekit";
import { sendWebhook } from "../support/livekit-sender";
import { emptyDatabase } from "../support/postgres";
import { recordedWebhooks, RECORDED_KEY } from "../support/recordings";
import { ServerProcess, temporaryDirectory } from "../support/server-process";
import { testCa } from "../support/test-ca";
import { startTlsReceiver } from "../support/tls-receiver";

const ROOT = join(import.meta.dir, "../..");
const HERE: Target = process.arch === "arm64" ? "linux-arm64" : "linux-x64";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
/** Made for this machine, of the Bun that runs the tests. */
let binary: string;

beforeAll(async () => {
  directory = await temporaryDirectory();
  ({ path: binary } = await compileBinary({ target: HERE, runtime: process.execPath, directory: directory.path }));
}, 240_000);

afterAll(() => directory.remove());

function run(args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([binary, ...args], {
    cwd: options.cwd ?? directory.path,
    env: { PATH: "/usr/bin:/bin", HOME: directory.path, TMPDIR: directory.path, ...options.env },
    stdin: "ignore",
  });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** The first bytes of a program for Linux: what it is, and for which processor (ELF, gABI chapter 4). */
async function elfHeader(path: string) {
  const file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(20), 0, 20, 0);
  await file.close();
  return { magic: buffer.toString("latin1", 0, 4), bits: buffer[4] === 2 ? 64 : 32, machine: buffer.readUInt16LE(18) };
}

const MACHINES = { "linux-x64": 62, "linux-arm64": 183 } as const;

describe("the binary", () => {
  test("is a program for this machine, named after its version, of less than 140 MB", async () => {
    expect(binary).toBe(join(directory.path, `sayna-sip-${packageJson.version}-${HERE}`));
    expect(await elfHeader(binary)).toEqual({ magic: "\u007fELF", bits: 64, machine: MACHINES[HERE] });
    expect(Bun.file(binary).size).toBeLessThan(140_000_000);
  });

  test("says nothing of the place where it was built", async () => {
    expect((await readFile(binary)).includes(ROOT)).toBe(false);
  });

  test("tells its version and its commands", () => {
    expect(run(["--version"])).toEqual({ exitCode: 0, stdout: `${packageJson.version}\n`, stderr: "" });
    expect(run(["--help"])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("serve") });
  });

  test("shows the demo, with itself as the server", () => {
    const { exitCode, stdout, stderr } = run(["demo"]);
    expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("Nothing is missing, and all of it came in order.");
  }, 240_000);

  test("takes no settings from files that lie where it is started", async () => {
    const cwd = join(directory.path, "elsewhere");
    await mkdir(cwd);
    await writeFile(join(cwd, ".env"), "SIP_ROOM_PREFIX=!\n");
    await writeFile(join(cwd, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
    await writeFile(join(cwd, "preload.ts"), 'process.stderr.write("preloaded\\n"); process.exit(7);\n');
    const env = { PORT: "no-number" };
    const { exitCode, stderr } = run(["serve"], { cwd, env });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("PORT") });
    expect(stderr).not.toContain("SIP");
  });

  test("refuses a plugin that is not there, and says where it was looked for", async () => {
    const file = join(directory.path, "missing-plugin.yaml");
    await writeFile(file, "plugins: [a-package-that-is-not-there]\n");
    const { exitCode, stdout } = run(["serve", "--config", file], { env: { DATA_DIR: join(directory.path, "none") } });
    expect(exitCode).toBe(1);
    expect(stdout).toContain("The plugin a-package-that-is-not-there cannot be loaded");
    expect(stdout).toContain("a package is looked for there.");
  });
});

/** A matcher with a file beside it, a package of its own, and the contract from the binary. */
const PLUGIN = `
import { defineMatcher, defineRoute, Type } from "sayna-sip";
import { table } from "a-table";
import { hostOf } from "./host-of.ts";
export default defineMatcher({
  name: "by-number",
  contract: "1.0",
  options: Type.Object({ number: Type.String({ description: "The number." }) }),
  create: ({ options }) => ({
    match({ called, hooks }) {
      const hook = called.number === options.number ? hooks.byHost(hostOf(table)) : undefined;
      return hook === undefined ? { kind: "not-mine" } : { kind: "hook", hook };
    },
    routes: [
      defineRoute({ method: "GET", path: "/table", access: "operator", summary: "The table", handle: () => ({ table }) }),
    ],
  }),
});`;

test("the binary serves: plugins named by path, the database's schema, provisioning, a whole call, the documentation's page", async () => {
  const home = join(directory.path, "etc");
  const plugins = join(home, "plugins");
  await mkdir(join(plugins, "node_modules/a-table/lib"), { recursive: true });
  await writeFile(join(plugins, "by-number.ts"), PLUGIN);
  await writeFile(
    join(plugins, "host-of.ts"),
    "export const hostOf = (table: readonly string[]): string => table[0] ?? '';\n",
  );
  const manifest = { name: "a-table", version: "1.0.0", type: "module", exports: { ".": "./lib/table.js" } };
  await writeFile(join(plugins, "node_modules/a-table/package.json"), JSON.stringify(manifest));
  await writeFile(
    join(plugins, "node_modules/a-table/lib/table.js"),
    'export const table = ["numbers.example.com"];\n',
  );
  await using cleanup = new AsyncDisposableStack();
  const ca = await testCa();
  const tenant = await startTlsReceiver({ ca });
  cleanup.defer(() => tenant.stop());
  const livekit = await startFakeLiveKit({ apiKey: RECORDED_KEY.apiKey, apiSecret: RECORDED_KEY.apiSecret });
  cleanup.defer(() => livekit.stop());
  const server = await ServerProcess.start({
    program: [binary],
    dataDir: home,
    caFile: ca.caFile,
    config: {
      livekit: { url: livekit.url, api_key: RECORDED_KEY.apiKey, api_secret: RECORDED_KEY.apiSecret },
      sip: {
        room_prefix: "sip-",
        allowed_addresses: ["203.0.113.0/24"],
        matchers: ["by-number"],
        hooks: [{ host: "numbers.example.com", url: tenant.url("/hook"), auth_id: "numbers" }],
      },
      plugins: [{ module: "./plugins/by-number.ts", options: { number: "+15557654321" } }],
    },
  });
  cleanup.defer(() => server.killHard());

  await server.waitForLine("Successfully provisioned");
  await server.waitUntilReady();
  const paths = ["/openapi", "/openapi/json", "/openapi/swagger-ui.css", "/openapi/swagger-ui-bundle.js"];
  const sizes = await Promise.all(
    paths.map(async (path) => {
      const response = await fetch(`${server.url}${path}`);
      return [response.status, (await response.bytes()).length] as const;
    }),
  );
  expect(sizes.map(([status]) => status)).toEqual([200, 200, 200, 200]);
  expect(sizes[3]?.[1]).toBe(Bun.file(join(ROOT, "node_modules/swagger-ui-dist/swagger-ui-bundle.js")).size);
  expect(await (await fetch(`${server.url}/plugins/by-number/table`)).json()).toEqual({
    table: ["numbers.example.com"],
  });

  const call = recordedWebhooks("answered-call");
  for (const { body } of call) expect(await sendWebhook(server.url, body)).toMatchObject({ status: 200 });
  await tenant.waitFor(call.length);
  expect(tenant.requests.map(({ body }) => body.toString())).toEqual(call.map(({ body }) => body));
  // The room's owner is written by means of LiveKit's own library, which is loaded when it is needed.
  await server.waitUntil(() => livekit.requests.some(({ method }) => method === "RoomService/ListRooms"), "the owner");
  expect(livekit.unexpected).toEqual([]);
  expect(await server.stop()).toBe(0);
}, 240_000);

test("the binary keeps in Postgres, too", async () => {
  const database = await emptyDatabase();
  const server = await ServerProcess.start({
    program: [binary],
    dataDir: directory.path,
    config: {
      storage: database.url,
      livekit: { api_key: RECORDED_KEY.apiKey, api_secret: RECORDED_KEY.apiSecret },
      sip: { room_prefix: "sip-", provision: false },
    },
  });
  try {
    await server.waitUntilReady();
    const [first] = recordedWebhooks("answered-call");
    expect(await sendWebhook(server.url, first?.body ?? "")).toMatchObject({ status: 200 });
    expect(await server.stop()).toBe(0);
  } finally {
    await server.killHard();
    await database.remove();
  }
}, 240_000);

test("a binary for the other processor is made on this one, from the Bun in the npm registry", async () => {
  const target: Target = HERE === "linux-x64" ? "linux-arm64" : "linux-x64";
  const runtimes = await installRuntimes().catch((error: unknown) => String(error));
  if (typeof runtimes === "string") {
    // Without the registry, and without a copy in Bun's cache, that is why, and nothing else may be.
    console.log(`No binary for ${target}: ${runtimes}`);
    expect(runtimes).toMatch(
      /ConnectionRefused|ConnectionClosed|FailedToOpenSocket|DNS|Timeout|ENOTFOUND|Unable to connect/i,
    );
    return;
  }
  const { path, packages } = await compileBinary({ target, runtime: runtimes[target], directory: directory.path });
  expect(path).toEndWith(`/${binaryName(target)}`);
  expect(await elfHeader(path)).toEqual({ magic: "\u007fELF", bits: 64, machine: MACHINES[target] });
  // More than Bun alone: the program is in it.
  expect(Bun.file(path).size).toBeGreaterThan(Bun.file(runtimes[target]).size + 3_000_000);
  expect(packages).toContain("node_modules/elysia");
}, 240_000);
