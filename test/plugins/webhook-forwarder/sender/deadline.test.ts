import { afterEach, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { Agent } from "node:https";
import { createServer } from "node:net";
import { Duplex } from "node:stream";
import { startExchange } from "../../../../plugins/webhook-forwarder/sender/exchange";
import { deadlinePassed } from "../../../../plugins/webhook-forwarder/sender/failure";
import { parseTarget } from "../../../../plugins/webhook-forwarder/sender/target";
import type { Answer } from "../../../support/tls-receiver";
import { startSending, stopSending } from "./sending";

afterEach(stopSending);

const DEADLINE_MS = 1000;
const OK = "HTTP/1.1 200 OK\r\n";

async function* drip(text: string): AsyncGenerator<string> {
  for (const byte of text) {
    yield byte;
    await Bun.sleep(30);
  }
}

async function* drippingBody(): AsyncGenerator<string> {
  yield `${OK}\r\n`;
  yield* drip("a".repeat(100));
}

const failedAtTheDeadline = (doing: string) => ({
  kind: "failed",
  step: "deadline",
  code: "DEADLINE",
  message: `The deadline passed while ${doing}`,
});

const onTime = (result: { durationMs: number }): void => {
  expect(result.durationMs).toBeGreaterThanOrEqual(DEADLINE_MS - 2);
  expect(result.durationMs).toBeLessThan(DEADLINE_MS + 4000);
};

describe("one deadline ends the attempt and its connection", () => {
  test.each<[string, Answer, string]>([
    ["no answer comes", "hang", "waiting for the answer"],
    ["the answer comes too late", { delayMs: 6000 }, "waiting for the answer"],
    ["the headers stop", { raw: `${OK}conte` }, "waiting for the answer"],
    ["the headers drip", { raw: drip(`${OK}x-long: ${"a".repeat(100)}`) }, "waiting for the answer"],
    ["100 Continue comes and nothing more", { raw: "HTTP/1.1 100 C\r\n\r\n" }, "waiting for the answer"],
    ["the body never begins", { raw: `${OK}content-length: 9\r\n\r\n` }, "reading the answer"],
    ["the body stops", { raw: `${OK}content-length: 9\r\n\r\nabc` }, "reading the answer"],
    ["the body drips, although the status was 200", { raw: drippingBody() }, "reading the answer"],
    ["the chunks never end", { raw: `${OK}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n` }, "reading the answer"],
  ])("when %s", async (_when, answer, doing) => {
    const { receiver, send } = await startSending(() => answer);
    const result = await send({ deadlineMs: DEADLINE_MS });
    expect(result).toMatchObject(failedAtTheDeadline(doing));
    onTime(result);
    while (receiver.connections.open > 0) await Bun.sleep(5);
  });

  test("when connecting hangs", async () => {
    const agent = new Agent();
    const socket = new Duplex({ read: () => undefined, write: () => undefined });
    agent.createConnection = () => socket;
    const target = parseTarget("https://127.0.0.1/");
    if (target === undefined) throw new Error("not a target");
    const exchange = startExchange({ target, headers: {}, body: Buffer.of(), agent, rule: () => undefined });
    await Bun.sleep(20);
    exchange.abort(deadlinePassed);
    expect((await exchange.ended).outcome).toMatchObject(failedAtTheDeadline("connecting"));
    expect(socket.destroyed).toBe(true);
  });

  test("when the TLS handshake hangs", async () => {
    const silent = createServer();
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const address = silent.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const { send } = await startSending();
    const connected = once(silent, "connection");
    const result = await send({ url: `https://127.0.0.1:${address.port}/`, deadlineMs: DEADLINE_MS });
    expect(result).toMatchObject(failedAtTheDeadline("in the TLS handshake"));
    onTime(result);
    const [socket] = await connected;
    if (!socket.resume().closed) await once(socket, "close");
    silent.close();
  });

  test("when the lookup hangs, and nothing is connected to when it answers at last", async () => {
    const { promise: asked, resolve: lookedUp } = Promise.withResolvers<() => void>();
    const { receiver, send } = await startSending(undefined, {
      sender: {
        lookup: (_host, _options, callback) => lookedUp(() => callback(null, [{ address: "127.0.0.1", family: 4 }])),
      },
    });
    const result = await send({ deadlineMs: DEADLINE_MS });
    expect(result).toMatchObject(failedAtTheDeadline("looking up the host"));
    onTime(result);
    const answerLookup = await asked;
    answerLookup();
    await Bun.sleep(50);
    expect(receiver.connections.made).toBe(0);
  });

  test("when a late lookup fails, or finds nothing", async () => {
    const late: (() => void)[] = [];
    const { send } = await startSending(undefined, {
      sender: {
        lookup: (_host, _options, callback) => {
          late.push(() => callback(late.length > 1 ? null : new Error("SERVFAIL"), []));
        },
      },
    });
    await Promise.all([send({ deadlineMs: 50 }), send({ deadlineMs: 50 })]);
    for (const answer of late) answer();
    await Bun.sleep(20);
    expect(late.length).toBe(2);
  });
});

test("an answer before the deadline leaves nothing that fires later", async () => {
  const { receiver, send } = await startSending();
  await send({ deadlineMs: 50 });
  await Bun.sleep(80);
  expect(await send()).toMatchObject({ kind: "answered" });
  expect(receiver.connections.made).toBe(1);
});

test("attempts that hang do not delay others", async () => {
  const { receiver, sender, send } = await startSending();
  receiver.respondWith(({ path }) => (path === "/slow" ? "hang" : {}));
  const slow = Array.from({ length: 300 }, () => send({ url: receiver.url("/slow"), deadlineMs: 10_000 }));
  await receiver.waitFor(300);
  const fast = await send();
  expect(fast).toMatchObject({ kind: "answered", status: 200 });
  // The others last until the deadline.
  expect(fast.durationMs).toBeLessThan(5_000);
  sender.close();
  expect((await Promise.all(slow)).every(({ kind }) => kind === "failed")).toBe(true);
});
