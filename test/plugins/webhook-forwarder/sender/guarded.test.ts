import { afterEach, describe, expect, test } from "bun:test";
import { Agent } from "node:https";
import { startExchange } from "../../../../plugins/webhook-forwarder/sender/exchange";
import { parseTarget } from "../../../../plugins/webhook-forwarder/sender/target";
import { testCa } from "../../../support/test-ca";
import { range, resolvingTo, startSending, stopSending } from "./sending";

afterEach(stopSending);

const FORBIDDEN = { kind: "failed", step: "address", code: "ADDRESS_FORBIDDEN" };

describe("a guarded hook may not reach", () => {
  test.each([
    "127.0.0.1",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fd00::1]",
    "10.0.0.1",
    "169.254.169.254",
    "192.168.0.1",
    "100.64.0.1",
    "１２７.0.0.1",
  ])("the address https://%s/", async (host) => {
    const { receiver, send } = await startSending();
    expect(await send({ guarded: true, url: receiver.url("/", host) })).toMatchObject(FORBIDDEN);
    expect(receiver.connections.made).toBe(0);
  });

  test.each(["localhost", "LOCALHOST"])("%s, by the system's own lookup", async (host) => {
    const { receiver, send } = await startSending();
    expect(await send({ guarded: true, url: receiver.url("/", host) })).toMatchObject(FORBIDDEN);
    expect(receiver.connections.made).toBe(0);
  });

  test.each([
    ["a private address", ["10.0.0.1"]],
    ["loopback", ["127.0.0.1"]],
    ["loopback, IPv4-mapped", ["::ffff:127.0.0.1"]],
    ["the metadata service", ["169.254.169.254"]],
    ["a link-local address with a zone", ["fe80::1%eth0"]],
    ["a public address with a private one beside it", ["93.184.216.34", "10.0.0.1"]],
    ["a private address with a public one beside it", ["10.0.0.1", "2606:2800:220:1:248:1893:25c8:1946"]],
  ])("a name that resolves to %s", async (_what, addresses) => {
    const { receiver, send } = await startSending(undefined, { sender: resolvingTo(addresses) });
    expect(await send({ guarded: true, url: receiver.url("/", "hook.test") })).toMatchObject(FORBIDDEN);
    expect(receiver.connections.made).toBe(0);
  });
});

test("localhost with a trailing dot, which is the same name, may not be reached either", async () => {
  const { lookup, asked } = resolvingTo(["127.0.0.1"]);
  const { receiver, send } = await startSending(undefined, { sender: { lookup } });
  expect(await send({ guarded: true, url: receiver.url("/", "localhost.") })).toMatchObject(FORBIDDEN);
  expect(asked).toEqual(["localhost."]);
  expect(receiver.connections.made).toBe(0);
});

test("the failure says which host and why", async () => {
  const { send } = await startSending(undefined, { sender: resolvingTo(["10.1.2.3"]) });
  const result = await send({ guarded: true, url: "https://hook.test/" });
  expect(result).toMatchObject({ message: expect.stringMatching(/^hook\.test .*10\.1\.2\.3/) });
});

test("an allowed range lets a guarded hook through, by name and by address", async () => {
  const { receiver, send } = await startSending(undefined, { sender: { allowedRanges: [range("127.0.0.0/8")] } });
  for (const host of ["localhost", "127.0.0.1"]) {
    expect(await send({ guarded: true, url: receiver.url("/", host) })).toMatchObject({
      kind: "answered",
      status: 200,
    });
  }
});

test("a hook that is not guarded may point anywhere", async () => {
  const { receiver, send } = await startSending();
  expect(await send({ guarded: false, url: receiver.url("/", "127.0.0.1") })).toMatchObject({ kind: "answered" });
});

test("a name that turns to a forbidden address (DNS rebinding) is refused at its next connection", async () => {
  const { lookup, asked } = resolvingTo(["127.0.0.1"], ["127.0.0.1", "127.0.0.2"], ["127.0.0.2"]);
  const { receiver, send } = await startSending(() => ({ headers: { connection: "close" } }), {
    sender: { lookup, allowedRanges: [range("127.0.0.1")] },
    receiver: { names: ["hook.test"] },
  });
  const url = receiver.url("/", "hook.test");
  expect(await send({ guarded: true, url })).toMatchObject({ kind: "answered", status: 200 });
  expect(await send({ guarded: true, url })).toMatchObject(FORBIDDEN);
  expect(await send({ guarded: true, url })).toMatchObject(FORBIDDEN);
  // What is judged is what is connected to: there is no second lookup in between.
  expect(asked.length).toBe(3);
  expect(receiver.connections.made).toBe(1);
});

test("the repetition on a new connection is judged as well", async () => {
  const { lookup } = resolvingTo(["127.0.0.1"], ["127.0.0.2"]);
  const { receiver, send } = await startSending(undefined, {
    sender: { lookup, allowedRanges: [range("127.0.0.1")] },
    receiver: { names: ["hook.test"] },
  });
  const url = receiver.url("/", "hook.test");
  await send({ guarded: true, url });
  receiver.respondWith(() => "reset");
  expect(await send({ guarded: true, url })).toMatchObject(FORBIDDEN);
});

test("a connection that is at a forbidden address in spite of all is closed before anything is said on it", async () => {
  const ca = await testCa();
  const { receiver } = await startSending();
  const agent = new Agent({ ca: ca.cert });
  const target = parseTarget(receiver.url());
  if (target === undefined) throw new Error("not a target");
  const seen: string[] = [];
  const rule = (address: string): string => `${seen.push(address)}`;
  const exchange = startExchange({ target, headers: {}, body: Buffer.of(), agent, rule });
  expect((await exchange.ended).outcome).toMatchObject(FORBIDDEN);
  await Bun.sleep(50);
  expect(seen).toEqual(["127.0.0.1"]);
  expect(receiver.connections.made).toBe(0);
});

describe("ranges that change while it runs count for the next attempt", () => {
  const guarded = { guarded: true };

  test("what is allowed now may be reached", async () => {
    const { sender, send, receiver } = await startSending();
    const url = receiver.url("/", "127.0.0.1");
    expect(await send({ ...guarded, url })).toMatchObject(FORBIDDEN);
    sender.allowRanges([range("127.0.0.0/8")]);
    expect(await send({ ...guarded, url })).toMatchObject({ kind: "answered", status: 200 });
  });

  test("what is not allowed any more may not, although a connection to it is open", async () => {
    const { sender, send, receiver } = await startSending(undefined, {
      sender: { ...resolvingTo(["127.0.0.1"]), allowedRanges: [range("127.0.0.0/8")] },
    });
    expect(await send(guarded)).toMatchObject({ kind: "answered" });
    sender.allowRanges([]);
    expect(await send(guarded)).toMatchObject(FORBIDDEN);
    expect(receiver.requests).toHaveLength(1);
  });
});
