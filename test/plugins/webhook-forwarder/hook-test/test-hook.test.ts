import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import { createSecretReader } from "../../../../plugins/webhook-forwarder/dispatcher/read-secret";
import { testHook, type TestHookOptions } from "../../../../plugins/webhook-forwarder/hook-test";
import { createSender } from "../../../../plugins/webhook-forwarder/sender";
import { hookId, type Hook } from "../../../../src/domain/hook";
import { parseSecretSource } from "../../../../src/domain/secret";
import { ManualClock } from "../../../support/manual-clock";
import { policy } from "../../../support/policy";
import { createTestCa, testCa } from "../../../support/test-ca";
import { startTlsReceiver, type TlsReceiver, type TlsReceiverOptions } from "../../../support/tls-receiver";
import { pattern } from "../../../support/webhooks";

const SECRET = `whsec_${Buffer.alloc(24, 1).toString("base64")}`;
const DAY = 86_400_000;

let options: TestHookOptions;
const receivers: TlsReceiver[] = [];

beforeAll(async () => {
  options = {
    // The standardwebhooks package compares with the real time.
    clock: new ManualClock(Date.now()),
    policy,
    roomPrefix: "sip-",
    hookSecret: parseSecretSource(SECRET),
    readSecret: createSecretReader({ env: {} }),
    sender: createSender({ allowedRanges: [], ca: (await testCa()).cert }),
  };
});

afterAll(async () => {
  options.sender.close();
  for (const receiver of receivers) await receiver.stop();
});

async function receiverOf(special: Partial<TlsReceiverOptions> = {}): Promise<TlsReceiver> {
  const receiver = await startTlsReceiver({ ca: await testCa(), ...special });
  receivers.push(receiver);
  return receiver;
}

const hookTo = (url: string, change: Partial<Hook> = {}): Hook => ({
  id: hookId(pattern("a.example.com"), "tenant-a"),
  host: pattern("a.example.com"),
  url,
  authId: "tenant-a",
  source: "config",
  ...change,
});

describe("a test of a hook", () => {
  test("sends the end of a call, signed as a delivery is, with a header that says that it is a test", async () => {
    const receiver = await receiverOf();
    const tested = await testHook(hookTo(receiver.url("/hook")), options);
    expect(tested).toMatchObject({ verdict: "success", addressAllowed: true, attempt: { status: 200 } });
    expect(tested.signatures).toEqual(["webhook-signature", "X-Sayna-Signature"]);
    const [request] = receiver.requests;
    expect(request?.header("x-sayna-test")).toBe("true");
    expect(request?.header("webhook-id")).toBe(tested.webhookId);
    const names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    const signed = Object.fromEntries(names.map((name) => [name, request?.header(name) ?? ""]));
    expect(new Webhook(SECRET).verify(request?.body ?? "", signed)).toMatchObject({
      event: "room_finished",
      id: tested.webhookId,
      room: { name: "sip-test" },
    });
  });

  test("tells whom it reached, how that was encrypted, and how long the certificate is good, each time anew", async () => {
    const notAfter = new Date(Math.floor(Date.now() / DAY) * DAY + 20 * DAY);
    const certificate = await (await testCa()).issue(["localhost"], { notAfter });
    const receiver = await receiverOf({ certificate });
    for (let i = 0; i < 2; i++) {
      const { peer } = await testHook(hookTo(receiver.url("/hook")), options);
      expect(peer).toMatchObject({ address: "127.0.0.1", tls: { protocol: "TLSv1.3" } });
      expect(peer?.tls?.certificate).toMatchObject({ names: "localhost", validTo: notAfter.getTime() });
      expect(peer?.tls?.certificate?.issuer).toStartWith("Test CA");
    }
  });

  test("tells when a certificate ended that is refused for that, and sends nothing", async () => {
    const [notBefore, notAfter] = [new Date("2020-01-01T00:00:00Z"), new Date("2020-02-01T00:00:00Z")];
    const certificate = await (await testCa()).issue(["localhost"], { notBefore, notAfter });
    const receiver = await receiverOf({ certificate });
    const { verdict, attempt, peer } = await testHook(hookTo(receiver.url("/hook")), options);
    expect({ verdict, error: attempt.error }).toMatchObject({
      verdict: "endpoint",
      error: expect.stringContaining("CERT_HAS_EXPIRED"),
    });
    expect(peer?.tls?.certificate?.validTo).toBe(notAfter.getTime());
    expect(receiver.requests).toEqual([]);
  });

  test("tells whose a certificate is that nobody here trusts", async () => {
    const certificate = await (await createTestCa()).issue(["localhost"]);
    const receiver = await receiverOf({ certificate });
    const { attempt, peer } = await testHook(hookTo(receiver.url("/hook")), options);
    expect(attempt.error).toContain("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    expect(peer?.tls?.certificate?.names).toBe("localhost");
  });

  test("connects to nothing where a hook added at run time may not go", async () => {
    const receiver = await receiverOf();
    for (const url of [receiver.url("/hook"), receiver.url("/hook", "127.0.0.1")]) {
      const tested = await testHook(hookTo(url, { source: "runtime" }), options);
      expect(tested).toMatchObject({ addressAllowed: false, peer: undefined, verdict: "endpoint" });
    }
    expect(receiver.connections.made).toBe(0);
  });

  test.each([
    [204, "success"],
    [422, "event"],
    [410, "gone"],
    [503, "endpoint"],
    [301, "endpoint"],
  ] as const)("an answer %d is judged as a delivery's: %s", async (status, verdict) => {
    const receiver = await receiverOf({ respond: () => ({ status }) });
    expect(await testHook(hookTo(receiver.url("/hook")), options)).toMatchObject({ verdict, attempt: { status } });
  });

  test("a secret that is not there fails it as it would fail a delivery, before anything is sent", async () => {
    const receiver = await receiverOf();
    const hook = hookTo(receiver.url("/hook"), { secret: parseSecretSource("env:NOT_THERE") });
    const tested = await testHook(hook, options);
    expect(tested).toMatchObject({ verdict: "endpoint", signatures: [], peer: undefined });
    expect(tested.attempt.error).toContain("SECRET_UNAVAILABLE");
    expect(receiver.connections.made).toBe(0);
  });
});
