import { afterEach, describe, expect, test } from "bun:test";
import { createTestCa, testCa } from "../../../support/test-ca";
import type { TlsReceiverOptions } from "../../../support/tls-receiver";
import { resolvingTo, startSending, stopSending } from "./sending";

afterEach(stopSending);

const day = (offset: number): Date => new Date(Date.now() + offset * 86_400_000);

describe("nothing is sent to a server", () => {
  test.each<[string, () => Promise<Partial<TlsReceiverOptions>>, string]>([
    ["whose certificate has another name", async () => ({ names: ["other.test"] }), "ERR_TLS_CERT_ALTNAME_INVALID"],
    [
      "whose certificate has expired",
      async () => ({
        certificate: await (await testCa()).issue(["localhost"], { notBefore: day(-9), notAfter: day(-1) }),
      }),
      "CERT_HAS_EXPIRED",
    ],
    [
      "whose certificate is not valid yet",
      async () => ({
        certificate: await (await testCa()).issue(["localhost"], { notBefore: day(1), notAfter: day(9) }),
      }),
      "CERT_NOT_YET_VALID",
    ],
    [
      "whose certificate is self-signed",
      async () => ({ certificate: await (await testCa()).issue(["localhost"], { selfSigned: true }) }),
      "DEPTH_ZERO_SELF_SIGNED_CERT",
    ],
    [
      "whose certificate is another authority's",
      async () => ({ certificate: await (await createTestCa()).issue(["localhost"]) }),
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    ],
    [
      "that speaks TLS 1.1 only",
      async () => ({ tls: { minVersion: "TLSv1", maxVersion: "TLSv1.1" } }),
      "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
    ],
  ])("%s", async (_which, receiverOptions, code) => {
    const { receiver, send } = await startSending(undefined, { receiver: await receiverOptions() });
    expect(await send()).toMatchObject({ kind: "failed", step: "tls", code });
    expect(receiver.requests).toEqual([]);
  });
});

test("a server that wants a certificate of ours fails in the TLS handshake", async () => {
  const { receiver, send } = await startSending(undefined, {
    receiver: { tls: { requestCert: true, rejectUnauthorized: true } },
  });
  expect(await send()).toMatchObject({ kind: "failed", step: "tls" });
  expect(receiver.requests).toEqual([]);
});

test("how much a peer's certificate says does not decide how much is kept", async () => {
  const names = Array.from({ length: 100 }, (_, index) => `name-${index}.other.test`);
  const { send } = await startSending(undefined, { receiver: { names } });
  const result = await send();
  if (result.kind !== "failed") throw new Error("it did not fail");
  expect(result.message.length).toBe(500);
});

test("TLS 1.2 is enough", async () => {
  const { send } = await startSending(undefined, { receiver: { tls: { maxVersion: "TLSv1.2" } } });
  expect(await send()).toMatchObject({ kind: "answered", status: 200 });
});

test("the URL's host is named in the handshake and verified, whatever the Host header says", async () => {
  const { receiver, send } = await startSending(undefined, {
    sender: resolvingTo(["127.0.0.1"]),
    receiver: { names: ["hook.test"] },
  });
  const good = await send({ url: receiver.url("/", "hook.test"), headers: { Host: "other.test" } });
  expect(good).toMatchObject({ kind: "answered", status: 200 });
  expect(receiver.requests[0]).toMatchObject({ servername: "hook.test" });
  const bad = await send({ url: receiver.url("/", "other.test"), headers: { Host: "hook.test" } });
  expect(bad).toMatchObject({ kind: "failed", code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  expect(receiver.requests.length).toBe(1);
});

test("an address as host is verified against the certificate's addresses, whatever the Host header says", async () => {
  const { receiver, send } = await startSending(undefined, { receiver: { names: ["hook.test"] } });
  const result = await send({ url: receiver.url("/", "127.0.0.1"), headers: { Host: "hook.test" } });
  expect(result).toMatchObject({ kind: "failed", step: "tls", code: "ERR_TLS_CERT_ALTNAME_INVALID" });
});

test("an address as host is not named in the handshake", async () => {
  const { receiver, send } = await startSending();
  expect(await send({ url: receiver.url("/", "127.0.0.1") })).toMatchObject({ kind: "answered" });
  expect(receiver.requests[0]).toMatchObject({ servername: "" });
});

test("a trailing dot of the host is looked up, but is no part of the certificate's name", async () => {
  const { lookup, asked } = resolvingTo(["127.0.0.1"]);
  const { receiver, send } = await startSending(undefined, { sender: { lookup }, receiver: { names: ["hook.test"] } });
  expect(await send({ url: receiver.url("/", "hook.test.") })).toMatchObject({ kind: "answered", status: 200 });
  expect(receiver.requests[0]).toMatchObject({ servername: "hook.test" });
  expect(asked).toEqual(["hook.test."]);
});

test("a wildcard certificate covers one label", async () => {
  const { receiver, send } = await startSending(undefined, {
    sender: resolvingTo(["127.0.0.1"]),
    receiver: { names: ["*.hook.test"] },
  });
  expect(await send({ url: receiver.url("/", "a.hook.test") })).toMatchObject({ kind: "answered" });
  expect(await send({ url: receiver.url("/", "a.b.hook.test") })).toMatchObject({ kind: "failed", step: "tls" });
});

test("a server that speaks no TLS fails in the TLS handshake", async () => {
  const plain = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("plain") });
  const { send } = await startSending();
  expect(await send({ url: `https://127.0.0.1:${plain.port}/` })).toMatchObject({ kind: "failed", step: "tls" });
  await plain.stop(true);
});
