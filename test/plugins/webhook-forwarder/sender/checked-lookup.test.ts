import { afterEach, describe, expect, test } from "bun:test";
import type { LookupAddress } from "node:dns";
import {
  checkedLookup,
  type LookupAll,
  withoutThreads,
} from "../../../../plugins/webhook-forwarder/sender/checked-lookup";
import { startSending, stopSending } from "./sending";

afterEach(stopSending);

type Callback = Parameters<ReturnType<typeof checkedLookup>>[2];
type Answered = { error: string | undefined; address: unknown; family: number | undefined };

const anyAddress = (): undefined => undefined;
const resolving =
  (...addresses: LookupAddress[]): LookupAll =>
  (_host, _options, callback) =>
    callback(null, addresses);

/** What node:net is called back with, each time. */
function lookUp(resolve: LookupAll, options: { all?: boolean; family?: number }, rule = anyAddress): Answered[] {
  const answers: Answered[] = [];
  const callback: Callback = (error, address, family) => {
    answers.push({ error: error === null ? undefined : (error.code ?? error.message), address, family });
  };
  checkedLookup(rule, resolve)("hook.test", options, callback);
  return answers;
}

const later =
  (addresses: LookupAddress[]): LookupAll =>
  (_host, _options, callback) =>
    void setTimeout(() => callback(null, addresses), 5);

const V4 = { address: "192.0.2.1", family: 4 };
const V6 = { address: "2001:db8::1", family: 6 };

test("every address is handed on when node asks for all", () => {
  expect(lookUp(resolving(V4, V6), { all: true })).toEqual([
    { error: undefined, address: [V4, V6], family: undefined },
  ]);
});

test("one address and its family are handed on when node asks for one", () => {
  expect(lookUp(resolving(V6, V4), {})).toEqual([{ error: undefined, address: V6.address, family: 6 }]);
});

test("the resolver is always asked for all addresses, with the other options as node gave them", () => {
  const asked: object[] = [];
  lookUp((_host, options) => asked.push(options), { family: 4 });
  expect(asked).toEqual([{ family: 4, all: true }]);
});

test("no name takes a thread: Bun is asked to resolve by c-ares, which finds what is in /etc/hosts as well", async () => {
  const asked: object[] = [];
  withoutThreads((_host, options) => asked.push(options))("hook.test", { family: 4, all: true }, () => {});
  expect(asked).toEqual([{ family: 4, all: true, backend: "c-ares" }]);
  const { promise, resolve } = Promise.withResolvers<unknown>();
  checkedLookup(anyAddress)("localhost", {}, (error, address) => resolve(error ?? address));
  expect(["127.0.0.1", "::1"]).toContain(String(await promise));
});

test("the family is read from the address, not taken from the resolver", () => {
  expect(lookUp(resolving({ address: "2001:db8::1", family: 4 }), { all: true })).toMatchObject([{ address: [V6] }]);
});

describe("an error is called back, once, and nothing is thrown,", () => {
  test.each<[string, LookupAll, string]>([
    ["when there is no address", resolving(), "NO_ADDRESS"],
    ["when the answer is no address", resolving(V4, { address: "here", family: 4 }), "NO_ADDRESS"],
    ["when the address is empty", resolving({ address: "", family: 0 }), "NO_ADDRESS"],
    ["when the resolver fails", (_host, _options, callback) => callback(new Error("SERVFAIL"), []), "SERVFAIL"],
    [
      "when the resolver throws",
      () => {
        throw new Error("no resolver");
      },
      "no resolver",
    ],
  ])("%s", (_when, resolve, error) => {
    for (const options of [{ all: true }, {}]) {
      expect(lookUp(resolve, options)).toMatchObject([{ error }]);
    }
  });
});

test("a resolver that answers twice is heard once", () => {
  const twice: LookupAll = (_host, _options, callback) => {
    callback(null, [V4]);
    callback(new Error("again"), []);
  };
  expect(lookUp(twice, { all: true })).toMatchObject([{ error: undefined, address: [V4] }]);
});

test("each address is judged, and one that is refused refuses all", () => {
  const judged: string[] = [];
  const rule = (address: string): string | undefined => {
    judged.push(address);
    return address === V6.address ? "not that one" : undefined;
  };
  const answers: (Error | null)[] = [];
  checkedLookup(rule, resolving(V4, V6))("hook.test", { all: true }, (error) => answers.push(error));
  expect(answers).toMatchObject([{ code: "ADDRESS_FORBIDDEN", message: expect.stringContaining("not that one") }]);
  expect(judged).toEqual([V4.address, V6.address]);
});

describe("a sender whose lookup", () => {
  test.each<[string, LookupAll, object]>([
    ["finds nothing, at once,", resolving(), { step: "dns", code: "NO_ADDRESS" }],
    ["finds nothing, later,", later([]), { step: "dns", code: "NO_ADDRESS" }],
    [
      "throws",
      () => {
        throw new Error("no resolver");
      },
      { step: "dns", message: "no resolver" },
    ],
  ])("%s has failed the attempt", async (_what, lookup, failure) => {
    const { send } = await startSending(undefined, { sender: { lookup } });
    expect(await send()).toMatchObject({ kind: "failed", ...failure });
  });

  test("finds an address where nobody listens and then the right one reaches the hook", async () => {
    const lookup = later([
      { address: "127.0.0.9", family: 4 },
      { address: "127.0.0.1", family: 4 },
    ]);
    const { send } = await startSending(undefined, { sender: { lookup } });
    expect(await send()).toMatchObject({ kind: "answered", status: 200 });
  });

  test("finds only addresses where nobody listens says so of each", async () => {
    const lookup = later([
      { address: "127.0.0.8", family: 4 },
      { address: "127.0.0.9", family: 4 },
    ]);
    const { send } = await startSending(undefined, { sender: { lookup } });
    const message = expect.stringMatching(/127\.0\.0\.8.*127\.0\.0\.9/);
    expect(await send()).toMatchObject({ kind: "failed", step: "connect", code: "ECONNREFUSED", message });
  });
});

test("a host that does not exist fails the lookup, with the resolver's code", async () => {
  const lookup: LookupAll = (host, _options, callback) =>
    callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: "ENOTFOUND" }), []);
  const { send } = await startSending(undefined, { sender: { lookup } });
  const message = "getaddrinfo ENOTFOUND nothing.test";
  const failure = { kind: "failed", step: "dns", code: "ENOTFOUND", message };
  expect(await send({ url: "https://nothing.test/" })).toMatchObject(failure);
});
