import { beforeEach, describe, expect, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import {
  attemptDelivery,
  type AttemptOptions,
} from "../../../../plugins/webhook-forwarder/dispatcher/attempt-delivery";
import { createSecretReader } from "../../../../plugins/webhook-forwarder/dispatcher/read-secret";
import type { SendRequest } from "../../../../src/contracts/sender";
import type { PendingDelivery } from "../../../../src/contracts/storage";
import { readWritten, mapCredentials, type WrittenCredentials } from "../../../../src/domain/credentials";
import { hookId, type Hook } from "../../../../src/domain/hook";
import { eventId } from "../../../../src/domain/ids";
import { parseSecretSource } from "../../../../src/domain/secret";
import { parseSigningKey, saynaSignature } from "../../../../src/domain/signatures";
import { ManualClock } from "../../../support/manual-clock";
import { policy } from "../../../support/policy";
import { pattern } from "../../../support/webhooks";

const NEW = `whsec_${Buffer.alloc(24, 1).toString("base64")}`;
const OLD = `whsec_${Buffer.alloc(24, 2).toString("base64")}`;
const OWN = `whsec_${Buffer.alloc(24, 3).toString("base64")}`;
const keyOf = (byte: number) => {
  const key = parseSigningKey(`whsk_${Buffer.alloc(32, byte).toString("base64")}`);
  if (key === undefined) throw new Error("not a key");
  return key;
};

const hook: Hook = {
  id: hookId(pattern("a.example.com"), "tenant-a"),
  host: pattern("a.example.com"),
  url: "https://a.example/hook",
  authId: "tenant-a",
  source: "config",
};

const body = new TextEncoder().encode('{"event":"participant_joined"}');
const delivery: PendingDelivery = {
  id: 1,
  lane: 1,
  hook: hook.id,
  roomSid: undefined,
  eventId: eventId("EV_1"),
  eventName: "participant_joined",
  contentType: "application/webhook+json",
  body,
  receivedAt: 0,
  attempts: 0,
  failures: 0,
  refusals: 0,
  replay: false,
};

let clock: ManualClock;
let sent: SendRequest[];
let answerStart: string;
let env: Record<string, string>;

beforeEach(() => {
  // The standardwebhooks package compares with the real time.
  clock = new ManualClock(Date.now());
  sent = [];
  answerStart = "";
  env = {};
});

async function attempt(
  change: Partial<Hook> = {},
  options: Partial<AttemptOptions> = {},
  of: Partial<PendingDelivery> = {},
) {
  const attempted = await attemptDelivery(
    { ...delivery, ...of },
    { ...hook, ...change },
    {
      clock,
      policy,
      hookSecret: undefined,
      readSecret: createSecretReader({ env }),
      sender: {
        async send(request) {
          sent.push(request);
          const start = Buffer.from(answerStart);
          return { kind: "answered", status: 200, retryAfter: undefined, answerStart: start, durationMs: 1 };
        },
        close: () => {},
      },
      ...options,
    },
  );
  return { ...attempted, headers: sent.at(-1)?.headers ?? {} };
}

const source = parseSecretSource;
const previous = (secret: string, inMs: number) => ({ secret: source(secret), until: clock.now() + inMs });
const signaturesOf = (headers: Readonly<Record<string, string>>) => headers["webhook-signature"]?.split(" ") ?? [];
const accepts = (secret: string, headers: Readonly<Record<string, string>>): boolean => {
  try {
    new Webhook(secret).verify(Buffer.from(body), { ...headers });
    return true;
  } catch {
    return false;
  }
};

describe("while one secret replaces another", () => {
  test("receivers of either accept a delivery, the new one's signature first; at its end the old one signs no more", async () => {
    const options = { hookSecret: source(NEW), previousHookSecret: previous(OLD, 1000) };
    const during = await attempt({}, options);
    expect(signaturesOf(during.headers)).toHaveLength(2);
    expect([accepts(NEW, during.headers), accepts(OLD, during.headers), accepts(OWN, during.headers)]).toEqual([
      true,
      true,
      false,
    ]);
    const [first = ""] = signaturesOf(during.headers);
    expect(accepts(NEW, { ...during.headers, "webhook-signature": first })).toBe(true);
    await clock.turn(999);
    expect(signaturesOf((await attempt({}, options)).headers)).toHaveLength(2);
    await clock.turn(1);
    const after = await attempt({}, options);
    expect([accepts(NEW, after.headers), accepts(OLD, after.headers)]).toEqual([true, false]);
  });

  test("X-Sayna-Signature is the new one's alone", async () => {
    const { headers } = await attempt({}, { hookSecret: source(NEW), previousHookSecret: previous(OLD, 1000) });
    expect(headers["X-Sayna-Signature"]).toBe(saynaSignature(NEW, "EV_1", Math.floor(clock.now() / 1000), body));
  });

  test("a hook of its own secret has its own old one, and not the global old one", async () => {
    const global = { hookSecret: source(NEW), previousHookSecret: previous(OLD, 1000) };
    const { headers } = await attempt({ secret: source(OWN) }, global);
    expect([accepts(OWN, headers), accepts(NEW, headers), accepts(OLD, headers)]).toEqual([true, false, false]);
    const rotated = await attempt(
      { secret: source(OWN), previousSecret: previous(OLD, 1000) },
      { hookSecret: source(NEW) },
    );
    expect([accepts(OWN, rotated.headers), accepts(OLD, rotated.headers)]).toEqual([true, true]);
  });

  test("a hook may go back to the global secret", async () => {
    const { headers } = await attempt({ previousSecret: previous(OWN, 1000) }, { hookSecret: source(NEW) });
    expect([accepts(NEW, headers), accepts(OWN, headers)]).toEqual([true, true]);
  });

  test("an old secret that is not there fails the attempt, and is not looked for after its end", async () => {
    const options = { hookSecret: source(NEW), previousHookSecret: previous("env:OLD", 1000) };
    expect((await attempt({}, options)).attempt.error).toContain("env:OLD");
    await clock.turn(1000);
    expect((await attempt({}, options)).verdict).toBe("success");
  });
});

describe("a signing key", () => {
  const keys = [keyOf(1), keyOf(2)];
  const signingKeys = async () => keys;

  test("signs behind the secrets, each key with a v1a of its own; a receiver with a secret skips them", async () => {
    const { headers } = await attempt({}, { hookSecret: source(NEW), signingKeys });
    const now = Math.floor(clock.now() / 1000);
    expect(signaturesOf(headers).slice(1)).toEqual(keys.map((key) => key.sign("EV_1", now, body)));
    expect(accepts(NEW, headers)).toBe(true);
  });

  test("needs no secret: then there are no X-Sayna headers", async () => {
    const { headers } = await attempt({}, { signingKeys });
    expect(signaturesOf(headers).map((text) => text.slice(0, 4))).toEqual(["v1a,", "v1a,"]);
    expect(Object.keys(headers).filter((name) => name.startsWith("X-Sayna"))).toEqual([]);
  });

  test("gives a secret without whsec_ a Standard Webhooks signature beside Sayna's", async () => {
    const { headers } = await attempt({}, { hookSecret: source("plain"), signingKeys });
    expect(signaturesOf(headers).map((text) => text.slice(0, 4))).toEqual(["v1a,", "v1a,"]);
    expect(headers["X-Sayna-Signature"]).toStartWith("v1=");
  });

  test("without it and without a whsec_ there is no webhook-signature", async () => {
    expect((await attempt({}, { hookSecret: source("plain") })).headers).not.toHaveProperty("webhook-signature");
  });
});

describe("credentials", () => {
  const withCredentials = (written: WrittenCredentials<string>): Partial<Hook> => ({
    credentials: mapCredentials(readWritten(written), parseSecretSource),
  });

  test("are sent as they are written, read at each attempt", async () => {
    env["TOKEN"] = "token-1";
    const bearer = withCredentials({ bearer: "env:TOKEN", header: { name: "X-Api-Key", value: "key 1" } });
    expect((await attempt(bearer)).headers).toMatchObject({ authorization: "Bearer token-1", "X-Api-Key": "key 1" });
    env["TOKEN"] = "token-2";
    expect((await attempt(bearer)).headers).toMatchObject({ authorization: "Bearer token-2" });
    const basic = await attempt(withCredentials({ basic: { username: "test", password: "123\u00A3" } }));
    expect(basic.headers["authorization"]).toBe("Basic dGVzdDoxMjPCow==");
  });

  test("a client certificate goes to the connection, and into no header", async () => {
    env["KEY"] = "PEM key";
    const { headers } = await attempt(withCredentials({ client_certificate: { certificate: "PEM", key: "env:KEY" } }));
    expect(sent[0]?.clientCertificate).toEqual({ cert: "PEM", key: "PEM key" });
    expect(JSON.stringify(headers)).not.toContain("PEM");
    await attempt();
    expect(sent[1]).not.toHaveProperty("clientCertificate");
  });

  test.each<[string, WrittenCredentials<string>, string]>([
    ["that is missing", { bearer: "env:MISSING" }, "the secret env:MISSING cannot be read: it is not set, or empty"],
    [
      "with white space",
      { bearer: "env:SPACE" },
      "the secret env:SPACE has characters that a bearer token cannot have",
    ],
    [
      "with a line break",
      { header: { name: "a", value: "env:BREAK" } },
      "env:BREAK has characters that a header's value",
    ],
    [
      "with a line break",
      { basic: { username: "a", password: "env:BREAK" } },
      "env:BREAK has characters that a password",
    ],
    [
      "key that is missing",
      { client_certificate: { certificate: "PEM", key: "file:/no/such/key" } },
      "file:/no/such/key",
    ],
  ])("one %s fails the attempt as the endpoint's failure, and nothing is sent", async (_, written, message) => {
    env = { SPACE: "hunter 2", BREAK: "hunter2\r\nX: y" };
    const { attempt: record, verdict } = await attempt(withCredentials(written));
    expect(verdict).toBe("endpoint");
    expect(record.error).toStartWith("request: SECRET_UNAVAILABLE: ");
    expect(record.error).toContain(message);
    expect(record.error).not.toContain("hunter");
    expect(sent).toEqual([]);
  });

  test("an answer that repeats them is kept without them", async () => {
    env["PASSWORD"] = "hunter2-password";
    answerStart = "Authorization: Basic dTpodW50ZXIyLXBhc3N3b3Jk, which is u:hunter2-password";
    const { attempt: record } = await attempt(withCredentials({ basic: { username: "u", password: "env:PASSWORD" } }));
    expect(Buffer.from(record.answerStart ?? []).toString()).toBe("Authorization: Basic [secret], which is u:[secret]");
  });
});

test("a referenced whsec_ that is malformed fails the attempt, as a literal fails the start", async () => {
  env["BROKEN"] = "whsec_hunter2";
  const { attempt: record } = await attempt({}, { hookSecret: source("env:BROKEN") });
  expect(record.error).toContain("env:BROKEN begins with whsec_, but what follows is not base64");
  expect(record.error).not.toContain("hunter2");
  expect(sent).toEqual([]);
});

test("a replay says so, and keeps its webhook-id; other deliveries do not", async () => {
  expect((await attempt({}, {}, { replay: true })).headers).toMatchObject({
    "X-Sayna-Replay": "true",
    "webhook-id": "EV_1",
  });
  expect((await attempt()).headers).not.toHaveProperty("X-Sayna-Replay");
});
