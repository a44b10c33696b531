import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { createTestCa, testCa } from "../../../support/test-ca";
import { startTlsReceiver, type TlsReceiver } from "../../../support/tls-receiver";

let receiver: TlsReceiver;
beforeEach(async () => {
  receiver = await startTlsReceiver({ ca: await testCa() });
});
afterEach(() => receiver.stop());

/** Sends once from a process of its own that trusts by its environment alone. */
async function sendFromProcess(env: Record<string, string>): Promise<unknown> {
  const script = join(import.meta.dir, "send-once.ts");
  const child = Bun.spawn([process.execPath, script, receiver.url()], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdout: "pipe",
    stderr: "ignore",
  });
  return JSON.parse(await new Response(child.stdout).text());
}

test("NODE_EXTRA_CA_CERTS adds an authority", async () => {
  const { caFile } = await testCa();
  expect(await sendFromProcess({ NODE_EXTRA_CA_CERTS: caFile })).toMatchObject({ kind: "answered", status: 200 });
});

test("without it, or with another one, the certificate is refused", async () => {
  const { caFile } = await createTestCa();
  expect(await sendFromProcess({})).toMatchObject({ kind: "failed", step: "tls" });
  expect(await sendFromProcess({ NODE_EXTRA_CA_CERTS: caFile })).toMatchObject({ kind: "failed", step: "tls" });
  expect(receiver.requests).toEqual([]);
});

test("NODE_TLS_REJECT_UNAUTHORIZED=0 does not switch the verification off", async () => {
  expect(await sendFromProcess({ NODE_TLS_REJECT_UNAUTHORIZED: "0" })).toMatchObject({ kind: "failed", step: "tls" });
  expect(receiver.requests).toEqual([]);
});

test("no proxy variable is followed", async () => {
  const { caFile } = await testCa();
  const proxied: string[] = [];
  const proxy = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: (socket) => void proxied.push(socket.remoteAddress), data: () => undefined },
  });
  const url = `http://127.0.0.1:${proxy.port}`;
  const names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
  const env = { ...Object.fromEntries(names.map((name) => [name, url])), NODE_USE_ENV_PROXY: "1" };
  const result = await sendFromProcess({ ...env, NODE_EXTRA_CA_CERTS: caFile });
  expect(result).toMatchObject({ kind: "answered", status: 200 });
  expect(proxied).toEqual([]);
  proxy.stop(true);
});
