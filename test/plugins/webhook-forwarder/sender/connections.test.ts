import { afterEach, expect, test } from "bun:test";
import { createSender } from "../../../../plugins/webhook-forwarder/sender/create-sender";
import type { ReceivedRequest } from "../../../support/received-request";
import { testCa } from "../../../support/test-ca";
import { startTlsReceiver, type Answer } from "../../../support/tls-receiver";
import { range, resolvingTo, startSending, stopSending } from "./sending";

afterEach(stopSending);

const onReused =
  (answer: Answer) =>
  (request: ReceivedRequest): Answer =>
    request.positionOnConnection === 0 ? {} : answer;

test("attempts one after the other use one connection", async () => {
  const { receiver, send } = await startSending();
  for (let count = 0; count < 5; count += 1) await send();
  expect(receiver.requests.map(({ connection }) => connection)).toEqual([0, 0, 0, 0, 0]);
});

test("20 attempts at a time to one host are all under way at once, and keep no more than their connections", async () => {
  const { receiver, send } = await startSending();
  const { promise: all, resolve: allThere } = Promise.withResolvers<Answer>();
  receiver.respondWith(() => {
    if (receiver.requests.length === 20) allThere({});
    return all;
  });
  const results = await Promise.all(Array.from({ length: 20 }, () => send()));
  expect(results.every((result) => result.kind === "answered" && result.status === 200)).toBe(true);
  await Promise.all(Array.from({ length: 20 }, () => send()));
  expect(receiver.connections.made).toBe(20);
});

test("a connection that the peer closed while it was idle is replaced without a failed attempt", async () => {
  const { receiver, send } = await startSending();
  await send();
  await receiver.stop();
  await receiver.start();
  expect(await send()).toMatchObject({ kind: "answered", status: 200 });
  expect(receiver.requests.map(({ connection }) => connection)).toEqual([0, 1]);
});

test.each<Answer>(["close", "reset"])(
  "a reused connection that turns out to be closed (%s) is replaced at once, without a failed attempt",
  async (end) => {
    const { receiver, send } = await startSending();
    receiver.respondWith(onReused(end));
    await send();
    expect(await send({ body: Buffer.from("second") })).toMatchObject({ kind: "answered", status: 200 });
    expect(receiver.requests.map(({ body, connection }) => [body.toString(), connection])).toEqual([
      ["{}", 0],
      ["second", 0],
      ["second", 1],
    ]);
  },
);

test("the repetition goes over a new connection, however many closed ones are left", async () => {
  const { receiver, send } = await startSending();
  await Promise.all([send(), send(), send()]);
  receiver.respondWith(onReused("reset"));
  expect(await send()).toMatchObject({ kind: "answered", status: 200 });
  expect(receiver.requests.length).toBe(5);
});

test("it is repeated once: when the new connection breaks as well, the attempt has failed", async () => {
  const { receiver, send } = await startSending();
  await send();
  receiver.respondWith(() => "reset");
  expect(await send()).toMatchObject({ kind: "failed", step: "request", code: "ECONNRESET" });
  expect(receiver.requests.length).toBe(3);
});

test("a new connection that breaks is not repeated", async () => {
  const { receiver, send } = await startSending(() => "reset");
  await send();
  expect(receiver.requests.length).toBe(1);
});

test.each<[string, Answer]>([
  ["a byte of the answer came", { raw: "H", afterwards: "close" }],
  ["something else came", { raw: "SSH-2.0\r\n\r\n", afterwards: "close" }],
  ["the answer broke off", { raw: "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", afterwards: "reset" }],
])("on a reused connection nothing is repeated when %s", async (_when, answer) => {
  const { receiver, send } = await startSending();
  receiver.respondWith(onReused(answer));
  await send();
  expect(await send()).toMatchObject({ kind: "failed" });
  expect(receiver.requests.length).toBe(2);
});

test("the repetition has what is left of the deadline, not a new one", async () => {
  const { receiver, send } = await startSending();
  await send();
  receiver.respondWith(async ({ positionOnConnection }) => {
    if (positionOnConnection === 0) return "hang";
    await Bun.sleep(1000);
    return "reset";
  });
  const result = await send({ deadlineMs: 2000 });
  expect(result).toMatchObject({ kind: "failed", step: "deadline", code: "DEADLINE" });
  // A new deadline would end it after 3000 ms.
  expect(result.durationMs).toBeLessThan(2900);
  expect(receiver.requests.length).toBe(3);
});

test("an error on an idle connection harms nothing", async () => {
  const { receiver, send } = await startSending();
  receiver.respondWith(() => ({ raw: "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", afterwards: "reset" }));
  await send();
  while (receiver.connections.open > 0) await Bun.sleep(5);
  receiver.respondWith(() => ({ raw: "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nunasked", afterwards: "keep" }));
  await send();
  receiver.respondWith(() => ({}));
  expect(await send()).toMatchObject({ kind: "answered", status: 200 });
});

test("a guarded attempt never takes a connection of an unguarded one, nor the other way round", async () => {
  const { receiver, send } = await startSending(undefined, { sender: { allowedRanges: [range("127.0.0.1")] } });
  for (const guarded of [false, true, true, false]) {
    await send({ guarded, url: receiver.url("/", "127.0.0.1") });
  }
  expect(receiver.requests.map(({ connection }) => connection)).toEqual([0, 1, 1, 0]);
});

test("hosts do not share connections, even at the same address", async () => {
  const { lookup } = resolvingTo(["127.0.0.1"]);
  const { receiver, send } = await startSending(undefined, {
    sender: { lookup },
    receiver: { names: ["a.test", "b.test"] },
  });
  for (const host of ["a.test", "b.test", "a.test"]) await send({ url: receiver.url("/", host) });
  expect(receiver.requests.map(({ connection, servername }) => [connection, servername])).toEqual([
    [0, "a.test"],
    [1, "b.test"],
    [0, "a.test"],
  ]);
});

test("close ends what is under way, closes the idle connections and refuses what comes later", async () => {
  const { receiver, sender, send } = await startSending();
  await send();
  receiver.respondWith(() => "hang");
  const underWay = [send(), send()];
  await receiver.waitFor(3);
  sender.close();
  expect(await Promise.all(underWay)).toMatchObject([
    { kind: "failed", step: "request", code: "SENDER_CLOSED" },
    { kind: "failed", step: "request", code: "SENDER_CLOSED" },
  ]);
  while (receiver.connections.open > 0) await Bun.sleep(5);
  expect(await send()).toMatchObject({ kind: "failed", code: "SENDER_CLOSED" });
  expect(receiver.requests.length).toBe(3);
});

test("close during a lookup ends the attempt, and no connection is made afterwards", async () => {
  const ca = await testCa();
  const receiver = await startTlsReceiver({ ca });
  const { promise: asked, resolve: lookedUp } = Promise.withResolvers<() => void>();
  const sender = createSender({
    allowedRanges: [],
    ca: ca.cert,
    lookup: (_host, _options, callback) => lookedUp(() => callback(null, [{ address: "127.0.0.1", family: 4 }])),
  });
  const result = sender.send({ url: receiver.url(), headers: {}, body: Buffer.of(), deadlineMs: 5000, guarded: false });
  const answerLookup = await asked;
  sender.close();
  expect(await result).toMatchObject({ kind: "failed", step: "dns", code: "SENDER_CLOSED" });
  answerLookup();
  await Bun.sleep(50);
  expect(receiver.connections.made).toBe(0);
  await receiver.stop();
});
