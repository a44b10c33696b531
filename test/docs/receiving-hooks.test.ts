import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Signers } from "../../plugins/webhook-forwarder/dispatcher/read-signers";
import { saynaSignature } from "../../src/domain/signatures";
import { startReceiver, type RunningReceiver } from "../readme/running-receiver";
import { deliveredHeaders } from "../support/received-request";
import { recordedWebhooks } from "../support/recordings";
import { temporaryDirectory } from "../support/server-process";
import { KEY, KEY_TEXT, OURS, SECRET, signedHeaders, THEIRS } from "../support/signers";
import { testCa } from "../support/test-ca";
import { World } from "../support/world";
import { freePort } from "./free-port";
import { readPage, ROOT } from "./markdown-page";

const CALL = recordedWebhooks("answered-call");
const page = readPage("docs/receiving-hooks.md");

type Language = { readonly name: string; readonly needs: string; readonly command: readonly string[] };
const LANGUAGES: readonly Language[] = [
  { name: "TypeScript", needs: process.execPath, command: [process.execPath, "receiver.ts"] },
  { name: "Python", needs: "python3", command: ["python3", "receiver.py"] },
  { name: "Go", needs: "go", command: ["./receiver"] },
];
const isHere = ({ needs }: { readonly needs: string }): boolean => Bun.which(needs) !== null;
/** What each receiver knows. The service signs for both. */
const KNOWS = {
  "the secret": { HOOK_SECRET: SECRET },
  "the public key": { PUBLIC_KEY: KEY.publicKey },
} as const;
const RUNS = LANGUAGES.filter(isHere).flatMap((language) =>
  Object.entries(KNOWS).map(([knows, variables]) => ({
    ...language,
    knows,
    variables,
    host: `${language.name}.${knows.replaceAll(" ", "-")}.example.com`.toLowerCase(),
  })),
);

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let world: World;
const receivers = new Map<string, RunningReceiver>();
/** A delivery as the service made it. */
let original: { readonly headers: Readonly<Record<string, string>>; readonly body: Buffer };

/** The recorded call, to another host: with a room, participants and events of its own. */
const callTo = (host: string, mark: string) =>
  CALL.map(({ body }) => ({
    body: body.replaceAll("tenant-a.example.com", host).replaceAll(/\b(RM|PA|EV)_\w{4}/g, `$1_${mark}`),
  }));

beforeAll(async () => {
  directory = await temporaryDirectory();
  for (const { name, content } of page.blocks) {
    if (name !== "") await writeFile(join(directory.path, name), content);
  }
  if (isHere({ needs: "go" })) {
    const build = Bun.spawn(["go", "build", "-o", "receiver", "receiver.go"], {
      cwd: directory.path,
      // Only what is on this machine: neither modules nor another version of Go are fetched.
      env: { ...process.env, GOPROXY: "off", GOTOOLCHAIN: "local", GOFLAGS: "", CGO_ENABLED: "0" },
      stderr: "inherit",
    });
    expect(await build.exited).toBe(0);
  }
  const ca = await testCa();
  const { cert, key } = await ca.issue(["localhost"]);
  for (const { host, command, variables } of RUNS) {
    receivers.set(host, await startReceiver({ path: directory.path, command, cert, key, ca: ca.cert, variables }));
  }
  world = await World.start({
    tenants: {
      receivers: RUNS.map(({ host }) => ({ host, url: receivers.get(host)?.url })),
      recorder: [{ host: "recorder.example.com" }],
    },
    sip: { hook_secret: SECRET, signing_key: KEY_TEXT },
  });
  await world.replay(callTo("recorder.example.com", "rec0").slice(0, 2));
  await world.tenant("recorder").waitFor(2);
  const [request] = world.tenant("recorder").requests;
  if (request === undefined) throw new Error("nothing was recorded");
  original = { headers: deliveredHeaders(request), body: request.body };
}, 240_000);

afterAll(async () => {
  await world.end();
  for (const receiver of receivers.values()) await receiver.stop();
  await directory.remove();
});

const signed = (signers: Signers, secondsAgo: number, id = `EV_${crypto.randomUUID()}`, replay = false) =>
  signedHeaders({ id, body: original.body }, { signers, secondsAgo, replay });

describe.each(RUNS)("the receiver in $name that knows $knows", ({ host, name, knows, command }) => {
  const receiver = (): RunningReceiver => {
    const running = receivers.get(host);
    if (running === undefined) throw new Error(`there is no receiver for ${host}`);
    return running;
  };

  test("takes every event of a call that the service delivers, in order", async () => {
    const mark = `${name.slice(0, 2)}${knows.slice(-2)}`;
    await world.replay(callTo(host, mark));
    await receiver().waitForLines(CALL.length);
    expect(receiver().lines.slice(0, CALL.length)).toEqual(
      CALL.map(({ json }) => `${String(json["event"])} of the room RM_${mark}T7wmZNFk`),
    );
  });

  test("takes a repetition without doing its work again, and another event after it", async () => {
    const before = receiver().lines.length;
    expect(await receiver().post(original.headers, original.body)).toBe(204);
    expect(await receiver().post(original.headers, original.body)).toBe(204);
    expect(await receiver().post(signed(OURS, 0), original.body)).toBe(204);
    await receiver().waitForLines(before + 2);
    expect(receiver().lines).toHaveLength(before + 2);
  });

  test("says of a replay that it is one", async () => {
    const before = receiver().lines.length;
    expect(await receiver().post(signed(OURS, 0, "EV_replayed", true), original.body)).toBe(204);
    await receiver().waitForLines(before + 1);
    expect(receiver().lines.at(-1)).toMatch(/ \(a replay\)$/);
  });

  const changed = (headers: Readonly<Record<string, string>>) => ({ ...original.headers, ...headers });
  test.each([
    ["a changed body", () => [original.headers, Buffer.from(original.body.toString().replace("RM_", "RM-"))] as const],
    [
      "a body that was parsed and written again",
      () => [original.headers, Buffer.from(JSON.stringify(JSON.parse(original.body.toString())))] as const,
    ],
    ["what others signed", () => [signed(THEIRS, 0), original.body] as const],
    ["another event's id", () => [changed({ "webhook-id": "EV_other" }), original.body] as const],
    [
      "a newer timestamp on an old signature",
      () => [changed({ "webhook-timestamp": String(Math.floor(Date.now() / 1000) + 5) }), original.body] as const,
    ],
    ["what was signed more than 300 s ago", () => [signed(OURS, 310), original.body] as const],
    ["what is to be signed later than in 300 s", () => [signed(OURS, -310), original.body] as const],
    ["a timestamp that is none", () => [changed({ "webhook-timestamp": "now" }), original.body] as const],
    ["no signature", () => [changed({ "webhook-signature": "" }), original.body] as const],
    ["signatures that are none", () => [changed({ "webhook-signature": "v1,! v1a,AA== v2" }), original.body] as const],
    ["no headers", () => [{}, original.body] as const],
  ])("refuses %s", async (_, request) => {
    const before = receiver().lines.length;
    const [headers, body] = request();
    expect(await receiver().post(headers, body)).toBe(401);
    expect(receiver().lines).toHaveLength(before);
  });

  test("takes one that is signed by a new secret and key and by the old ones", async () => {
    const both = { secrets: [...THEIRS.secrets, ...OURS.secrets], keys: [...THEIRS.keys, ...OURS.keys] };
    expect(await receiver().post(signed(both, 290), original.body)).toBe(204);
  });

  test("goes on after a request that broke off", async () => {
    await receiver().breakOff();
    expect(await receiver().post(original.headers, original.body)).toBe(204);
  });

  test("does not start without a key, with which it would take what anybody signs", async () => {
    const { HOOK_SECRET: _secret, PUBLIC_KEY: _key, ...env } = process.env;
    const child = Bun.spawn([...command], { cwd: directory.path, env, stdout: "ignore", stderr: "pipe" });
    expect(await new Response(child.stderr).text()).toContain("Set HOOK_SECRET=whsec_");
    expect(await child.exited).not.toBe(0);
  });
});

test.each(LANGUAGES.filter((language) => !isHere(language)))(
  "the receiver in $name is not run, because there is no $needs on this machine",
  ({ needs }) => {
    expect(Bun.which(needs)).toBeNull();
  },
);

const php = Bun.which("php");
if (php === null) {
  test("the receiver in PHP is not run, because there is no php on this machine; it uses what the others use", () => {
    expect(Bun.which("php")).toBeNull();
    const code = page.blocks.find(({ name }) => name === "receiver.php")?.content ?? "";
    for (const part of ["hash_equals(", "hash_hmac('sha256', $signed, $secret, true)", "php://input", "> 300"])
      expect(code).toContain(part);
    expect(code).toContain("sodium_crypto_sign_verify_detached($signature, $signed, $publicKey)");
  });
} else {
  test.each(Object.entries(KNOWS))("the receiver in PHP that knows %s", async (knows, variables) => {
    const port = await freePort();
    const child = spawn(php, ["-S", `127.0.0.1:${port}`, "receiver.php"], {
      cwd: directory.path,
      env: { ...process.env, ...variables, INBOX: join(directory.path, `inbox ${knows}`) },
      stdio: "ignore",
    });
    const post = async (headers: Readonly<Record<string, string>>, body: Buffer): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}/livekit`, { method: "POST", headers, body: new Uint8Array(body) })).status;
    try {
      while ((await post({}, Buffer.from("{}")).catch(() => 0)) === 0) await Bun.sleep(20);
      expect(await post(original.headers, original.body)).toBe(204);
      expect(await post(original.headers, original.body)).toBe(204);
      expect(await post(original.headers, Buffer.from(`${original.body.toString()} `))).toBe(401);
      expect(await post(signed(THEIRS, 0), original.body)).toBe(401);
      expect(await post(signed(OURS, 310), original.body)).toBe(401);
    } finally {
      child.kill();
    }
  });
}

test("Sayna's own signature, as its function in Python makes it", async () => {
  await mkdir(join(directory.path, "sayna"));
  const { headers, body } = original;
  const header = (name: string): string => headers[name] ?? "";
  const event = [header("X-Sayna-Timestamp"), header("X-Sayna-Event-Id")] as const;
  expect(saynaSignature(SECRET, event[1], Number(event[0]), body)).toBe(header("X-Sayna-Signature"));
  const python = Bun.which("python3");
  if (python === null) return;
  const call = `import sys, sayna_signature; print(sayna_signature.sayna_signature(*sys.argv[1:], sys.stdin.buffer.read()))`;
  const child = Bun.spawn([python, "-c", call, SECRET, ...event], {
    cwd: directory.path,
    stdin: new Uint8Array(body),
  });
  expect((await new Response(child.stdout).text()).trim()).toBe(header("X-Sayna-Signature"));
});

test("the receiver in TypeScript is the one of the example", () => {
  const block = page.blocks.find(({ name }) => name === "receiver.ts")?.content;
  expect(block).toBe(readFileSync(join(ROOT, "examples/first-call/receiver.ts"), "utf8"));
});
