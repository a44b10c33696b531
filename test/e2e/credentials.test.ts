import { afterEach, expect, test } from "bun:test";
import { createPublicKey, verify } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import type { ReceivedRequest } from "../support/received-request";
import { recordedWebhooks } from "../support/recordings";
import { World } from "../support/world";

let world: World | undefined;
let secretsDirectory: string | undefined;

afterEach(async () => {
  await world?.end();
  world = undefined;
  if (secretsDirectory !== undefined) await rm(secretsDirectory, { recursive: true });
});

const call = recordedWebhooks("answered-call");
const secretOf = (byte: number): string => `whsec_${Buffer.alloc(24, byte).toString("base64")}`;
const SEED = Buffer.alloc(32, 9).toString("base64");
const [NEW, OLD] = [secretOf(1), secretOf(2)];
const [FIRST_TOKEN, SECOND_TOKEN] = ["first-token-hunter2", "second-token-hunter2"];
const PASSWORD = "password-hunter2";
const BASIC = Buffer.from(`sayna:${PASSWORD}`).toString("base64");

const accepts = (secret: string, { body, headers }: ReceivedRequest): boolean => {
  const signed = Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]));
  try {
    new Webhook(secret).verify(body, signed);
    return true;
  } catch {
    return false;
  }
};

/** What a receiver does that knows nothing but where the service is. */
function acceptsByPublicKey(publicKey: string, { body, header }: ReceivedRequest): boolean {
  const x = Buffer.from(publicKey.replace("whpk_", ""), "base64").toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  const signed = Buffer.concat([Buffer.from(`${header("webhook-id")}.${header("webhook-timestamp")}.`), body]);
  const signatures = header("webhook-signature")?.split(" ") ?? [];
  return signatures
    .filter((text) => text.startsWith("v1a,"))
    .some((text) => verify(null, signed, key, Buffer.from(text.slice("v1a,".length), "base64")));
}

test("two secrets, a signing key and credentials together; none of them is in the output, the database or an answer", async () => {
  secretsDirectory = await mkdtemp(join(tmpdir(), "sayna-sip-secrets-"));
  const file = async (name: string, content: string): Promise<string> => {
    await writeFile(join(secretsDirectory ?? "", name), content);
    return `file:${join(secretsDirectory ?? "", name)}`;
  };
  const data = join(secretsDirectory, "data");
  const token = await file("token", `${FIRST_TOKEN}\n`);
  world = await World.start({
    tenants: {
      a: [{ host: "tenant-a.example.com", auth_id: "tenant-a", credentials: { bearer: token } }],
      b: [],
    },
    sip: {
      hook_secret: await file("new", NEW),
      previous_hook_secret: { secret: "env:OLD_SECRET", until: new Date(Date.now() + 3_600_000).toISOString() },
      signing_key: await file("key", `whsk_${SEED}\n`),
      allowed_hook_ranges: ["127.0.0.0/8", "::1"],
      allowed_secret_refs: ["env:PASSWORD"],
    },
    config: { data_dir: data },
    env: { OLD_SECRET: OLD, PASSWORD },
  });
  const { server } = world;
  const [a, b] = [world.tenant("a"), world.tenant("b")];
  // The worst receiver: it shows what it was sent.
  for (const receiver of [a, b]) {
    receiver.respondWith(({ headers }) => ({ body: headers.map(([name, value]) => `${name}: ${value}\n`).join("") }));
  }
  const answers: string[] = [];
  const api = async (path: string, init?: RequestInit): Promise<unknown> => {
    const text = await (await fetch(`${server.url}${path}`, init)).text();
    answers.push(text);
    return JSON.parse(text);
  };

  const { keys } = (await api("/sip/signing-keys")) as { keys: { key: string }[] };
  const half = Math.floor(call.length / 2);
  await world.replay(call.slice(0, half));
  await a.waitFor(half);
  await file("token", `${SECOND_TOKEN}\n`);
  // A file is looked at once a second.
  await Bun.sleep(1100);
  await world.replay(call.slice(half));
  await a.waitFor(call.length);

  expect(a.requests.map(({ header }) => header("authorization"))).toEqual([
    ...Array<string>(half).fill(`Bearer ${FIRST_TOKEN}`),
    ...Array<string>(call.length - half).fill(`Bearer ${SECOND_TOKEN}`),
  ]);
  for (const request of a.requests) {
    expect([accepts(NEW, request), accepts(OLD, request), accepts(secretOf(3), request)]).toEqual([true, true, false]);
    expect(keys.map(({ key }) => acceptsByPublicKey(key, request))).toEqual([true]);
    expect(acceptsByPublicKey(keys[0]?.key ?? "", { ...request, body: Buffer.from("{}") })).toBe(false);
  }

  const hook = { host: "tenant-b.example.com", url: b.url("/added"), auth_id: "tenant-b" };
  const credentials = { basic: { username: "sayna", password: "env:PASSWORD" } };
  const added = await api("/sip/hooks", {
    method: "POST",
    body: JSON.stringify({ hooks: [{ ...hook, credentials }] }),
    headers: { "content-type": "application/json" },
  });
  expect(added).toMatchObject({ hooks: [{ credentials: { bearer: token } }, { credentials }] });
  const other = call.map(({ body }) =>
    body
      .replaceAll("tenant-a.example.com", "tenant-b.example.com")
      .replaceAll(/"(RM|EV|PA|SCL)_/g, '"$1_B')
      .replaceAll("sip-_", "sip-b_"),
  );
  for (const body of other) await world.send(body);
  await b.waitFor(call.length);
  expect(new Set(b.requests.map(({ header }) => header("authorization")))).toEqual(new Set([`Basic ${BASIC}`]));

  // A credential that is gone: the attempt fails, and the log names the reference.
  await rm(join(secretsDirectory, "token"));
  await Bun.sleep(1100);
  await world.replay(call.slice(0, 1).map(({ body }) => ({ body: body.replaceAll(/"(RM|EV|PA|SCL)_/g, '"$1_C') })));
  await world.replay(call.slice(1, 3).map(({ body }) => ({ body: body.replaceAll(/"(RM|EV|PA|SCL)_/g, '"$1_C') })));
  await server.waitUntil(() => server.text().includes(`SECRET_UNAVAILABLE: the secret ${token}`), "the reference");

  await api("/sip/hooks");
  await api("/openapi/json");
  await server.stop();
  const files = await readdir(data, { recursive: true });
  const stored = await Promise.all(files.map((name) => readFile(join(data, name)).catch(() => Buffer.alloc(0))));
  const database = Buffer.concat(stored).toString("latin1");
  // Not toContain, which would print the whole of it.
  expect([database.includes("tenant-b.example.com"), database.includes("[secret]")]).toEqual([true, true]);
  const places = { output: server.text(), database, answers: answers.join("\n") };
  for (const [place, text] of Object.entries(places)) {
    for (const secret of [NEW, OLD, SEED, FIRST_TOKEN, SECOND_TOKEN, PASSWORD, BASIC, "hunter2", NEW.slice(6)]) {
      expect([place, secret, text.includes(secret)]).toEqual([place, secret, false]);
    }
  }
}, 240_000);
