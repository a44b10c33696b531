import { afterEach, describe, expect, test } from "bun:test";
import type { ClientCertificate } from "../../../../src/contracts/sender";
import { createTestCa, testCa } from "../../../support/test-ca";
import type { TlsReceiverOptions } from "../../../support/tls-receiver";
import { range, startSending, stopSending } from "./sending";

afterEach(stopSending);

const certificateOf = async (name: string): Promise<ClientCertificate> =>
  (await testCa()).issue([name], { usage: "client" });

async function startStrict(tls: TlsReceiverOptions["tls"] = {}) {
  const { cert } = await testCa();
  return startSending(undefined, {
    receiver: { tls: { requestCert: true, rejectUnauthorized: true, ca: cert, ...tls } },
  });
}

describe.each([["TLSv1.3"], ["TLSv1.2"]] as const)(
  "a receiver that requires a client certificate, with %s",
  (version) => {
    test("gets the hook's own, and refuses a request without one in the TLS handshake", async () => {
      const { receiver, send } = await startStrict({ minVersion: version, maxVersion: version });
      expect(await send({ clientCertificate: await certificateOf("client-a") })).toMatchObject({ status: 200 });
      expect(receiver.requests.map(({ clientName }) => clientName)).toEqual(["client-a"]);
      expect(await send()).toMatchObject({ kind: "failed", step: "tls" });
      expect(receiver.requests).toHaveLength(1);
    });

    test("refuses one of an authority that it does not know", async () => {
      const { receiver, send } = await startStrict({ minVersion: version, maxVersion: version });
      const stranger = await (await createTestCa()).issue(["stranger"], { usage: "client" });
      expect(await send({ clientCertificate: stranger })).toMatchObject({ kind: "failed" });
      expect(receiver.requests).toEqual([]);
    });

    test("different certificates on the same host never share a connection, and each reuses its own", async () => {
      const { receiver, send } = await startSending(undefined, {
        receiver: {
          tls: { requestCert: true, rejectUnauthorized: false, ca: (await testCa()).cert, maxVersion: version },
        },
      });
      const [a, b] = [await certificateOf("client-a"), await certificateOf("client-b")];
      for (const certificate of [a, b, undefined, a, b, undefined, b, a]) {
        const result = await send(certificate === undefined ? {} : { clientCertificate: certificate });
        expect(result).toMatchObject({ kind: "answered", status: 200 });
      }
      expect(receiver.requests.map(({ clientName }) => clientName)).toEqual([
        "client-a",
        "client-b",
        "",
        "client-a",
        "client-b",
        "",
        "client-b",
        "client-a",
      ]);
      expect(receiver.requests.map(({ connection }) => connection)).toEqual([0, 1, 2, 0, 1, 2, 1, 0]);
    });

    test("a session that the receiver would resume brings no other hook's identity", async () => {
      const { receiver, send } = await startStrict({ minVersion: version, maxVersion: version });
      receiver.respondWith(() => ({ headers: { connection: "close" } }));
      const [a, b] = [await certificateOf("client-a"), await certificateOf("client-b")];
      for (const clientCertificate of [a, b, a, b]) await send({ clientCertificate });
      expect(receiver.requests.map(({ clientName }) => clientName)).toEqual([
        "client-a",
        "client-b",
        "client-a",
        "client-b",
      ]);
      expect(await send()).toMatchObject({ kind: "failed", step: "tls" });
    });
  },
);

test("a renewed certificate is shown on a new connection", async () => {
  const { receiver, send } = await startStrict();
  const [old, renewed] = [await certificateOf("client-a"), await certificateOf("client-a")];
  await send({ clientCertificate: old });
  await send({ clientCertificate: renewed });
  expect(receiver.requests.map(({ connection }) => connection)).toEqual([0, 1]);
});

test("the one repetition on a new connection shows the same certificate", async () => {
  const { receiver, send } = await startStrict();
  const clientCertificate = await certificateOf("client-a");
  await send({ clientCertificate });
  receiver.respondWith(({ positionOnConnection }) => (positionOnConnection === 0 ? {} : "close"));
  expect(await send({ clientCertificate })).toMatchObject({ kind: "answered", status: 200 });
  expect(receiver.requests.map(({ clientName, connection }) => `${clientName} ${connection}`)).toEqual([
    "client-a 0",
    "client-a 0",
    "client-a 1",
  ]);
});

test("a guarded hook shows its certificate as well", async () => {
  const { cert: ca } = await testCa();
  const { receiver, send } = await startSending(undefined, {
    sender: { allowedRanges: [range("127.0.0.0/8"), range("::1")] },
    receiver: { tls: { requestCert: true, rejectUnauthorized: true, ca } },
  });
  const result = await send({ guarded: true, clientCertificate: await certificateOf("client-a") });
  expect(result).toMatchObject({ kind: "answered", status: 200 });
  expect(receiver.requests[0]?.clientName).toBe("client-a");
});

describe("what cannot be used fails the attempt, and the message shows nothing of the key", () => {
  const pem = (text: string): string => `-----BEGIN PRIVATE KEY-----\n${text}\n-----END PRIVATE KEY-----\n`;

  test.each<[string, () => Promise<ClientCertificate>, string]>([
    [
      "the key of another certificate",
      async () => ({ cert: (await certificateOf("a")).cert, key: (await certificateOf("b")).key }),
      "ERR_OSSL_X509_KEY_VALUES_MISMATCH",
    ],
    [
      "no certificate",
      async () => ({ cert: "none", key: (await certificateOf("a")).key }),
      "ERR_OSSL_PEM_NO_START_LINE",
    ],
    ["a broken key", async () => ({ cert: (await certificateOf("a")).cert, key: pem("aHVudGVyMg==") }), "ERR_OSSL"],
  ])("%s", async (_, make, code) => {
    const { receiver, send } = await startStrict();
    const clientCertificate = await make();
    const result = await send({ clientCertificate });
    expect(result).toMatchObject({ kind: "failed", step: "request" });
    expect(result.kind === "failed" ? result.code : "").toStartWith(code);
    for (const line of clientCertificate.key.split("\n").filter((text) => text.length > 8 && !text.startsWith("-"))) {
      expect(JSON.stringify(result)).not.toContain(line);
    }
    expect(receiver.requests).toEqual([]);
  });
});
