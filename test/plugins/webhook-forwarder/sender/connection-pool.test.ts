import { afterEach, expect, test } from "bun:test";
import { checkedLookup } from "../../../../plugins/webhook-forwarder/sender/checked-lookup";
import {
  ConnectionPool,
  type ConnectionPoolOptions,
} from "../../../../plugins/webhook-forwarder/sender/connection-pool";
import { startExchange } from "../../../../plugins/webhook-forwarder/sender/exchange";
import { parseTarget } from "../../../../plugins/webhook-forwarder/sender/target";
import { testCa } from "../../../support/test-ca";
import { startTlsReceiver, type TlsReceiver } from "../../../support/tls-receiver";
import { resolvingTo } from "./sending";

const HOSTS = ["a.test", "b.test", "c.test"];

let end: () => Promise<void> = async () => undefined;
afterEach(() => end());

async function startPool(options: Partial<ConnectionPoolOptions>) {
  const ca = await testCa();
  const receiver = await startTlsReceiver({ ca, names: HOSTS });
  const lookup = checkedLookup(() => undefined, resolvingTo(["127.0.0.1"]).lookup);
  const pool = new ConnectionPool({ lookup, ca: ca.cert, ...options });
  end = async () => {
    pool.destroy();
    await receiver.stop();
  };
  const postTo = async (host: string) => {
    const target = parseTarget(receiver.url("/", host));
    if (target === undefined) throw new Error("not a target");
    const exchange = startExchange({ target, headers: {}, body: Buffer.of(), agent: pool, rule: () => undefined });
    return (await exchange.ended).outcome;
  };
  return { receiver, pool, postTo };
}

const openFallsTo = async (receiver: TlsReceiver, count: number): Promise<void> => {
  while (receiver.connections.open > count) await Bun.sleep(5);
};

test("above the limit the connection that was idle longest is closed, whatever its host", async () => {
  const { receiver, postTo } = await startPool({ maxIdle: 2 });
  await postTo("a.test");
  await postTo("b.test");
  await postTo("a.test");
  await postTo("c.test");
  await openFallsTo(receiver, 2);
  await postTo("a.test");
  await postTo("c.test");
  expect(receiver.connections.made).toBe(3);
  await postTo("b.test");
  expect(receiver.connections.made).toBe(4);
});

test("connections in use do not count as idle", async () => {
  const { receiver, postTo } = await startPool({ maxIdle: 1 });
  await postTo("a.test");
  for (let count = 0; count < 5; count += 1) await postTo("a.test");
  expect(receiver.connections).toMatchObject({ made: 1, open: 1 });
});

test("a connection that the peer closed does not count as idle", async () => {
  const { receiver, postTo } = await startPool({ maxIdle: 2 });
  await postTo("a.test");
  receiver.respondWith(() => ({ raw: "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", afterwards: "close" }));
  await postTo("b.test");
  await openFallsTo(receiver, 1);
  receiver.respondWith(() => ({}));
  await postTo("c.test");
  await postTo("a.test");
  expect(receiver.connections.made).toBe(3);
});

test("an idle connection is closed after its time", async () => {
  const { receiver, postTo } = await startPool({ idleMs: 100 });
  await postTo("a.test");
  expect(receiver.connections.open).toBe(1);
  await openFallsTo(receiver, 0);
  expect(await postTo("a.test")).toMatchObject({ kind: "answered" });
});

test("that time does not end a request: an answer may take longer", async () => {
  const { receiver, postTo } = await startPool({ idleMs: 50 });
  receiver.respondWith(() => ({ delayMs: 300 }));
  expect(await postTo("a.test")).toMatchObject({ kind: "answered", status: 200 });
});

test("idle connections are given up before a server's usual 5 s, and no request ever waits in the agent", async () => {
  const { pool } = await startPool({});
  expect(pool.options.timeout).toBeLessThan(5000);
  expect([pool.maxSockets, pool.maxTotalSockets]).toEqual([Infinity, Infinity]);
});
