import { afterEach, describe, expect, test } from "bun:test";
import type { SendResult } from "../../../../src/contracts/sender";
import type { Answer } from "../../../support/tls-receiver";
import { startSending, stopSending } from "./sending";

afterEach(stopSending);

const OK = "HTTP/1.1 200 OK\r\n";

test.each([200, 201, 204, 301, 302, 307, 308, 400, 401, 404, 408, 410, 413, 429, 500, 503])(
  "%d is an answer with its status, and is not followed",
  async (status) => {
    const { receiver, send } = await startSending(() => ({ status, headers: { location: "/elsewhere" } }));
    expect(await send()).toMatchObject({ kind: "answered", status });
    expect(receiver.requests.length).toBe(1);
  },
);

const startOf = (result: SendResult): string | undefined =>
  result.kind === "answered" ? Buffer.from(result.answerStart).toString("latin1") : undefined;

test("the answer's start is the first KiB of its body, in however many pieces it comes", async () => {
  const body = Array.from({ length: 3000 }, (_, index) => String.fromCharCode(index % 251)).join("");
  const { receiver, send } = await startSending(() => ({ status: 500, body: Buffer.from(body, "latin1") }));
  expect(startOf(await send())).toBe(body.slice(0, 1024));
  async function* pieces() {
    yield `${OK}content-length: 3000\r\n\r\n`;
    for (let from = 0; from < body.length; from += 700) {
      await Bun.sleep(10);
      yield Buffer.from(body.slice(from, from + 700), "latin1");
    }
  }
  receiver.respondWith(() => ({ raw: pieces() }));
  expect(startOf(await send())).toBe(body.slice(0, 1024));
});

test("a short body is kept whole, and none is an empty start", async () => {
  const { receiver, send } = await startSending(() => ({ body: "thanks" }));
  expect(startOf(await send())).toBe("thanks");
  receiver.respondWith(() => ({ status: 204 }));
  expect(startOf(await send())).toBe("");
});

test("a compressed body is kept as it came", async () => {
  const body = Buffer.from(Bun.gzipSync(Buffer.from("x".repeat(1000))));
  const { send } = await startSending(() => ({ headers: { "content-encoding": "gzip" }, body }));
  expect(startOf(await send())).toBe(body.toString("latin1"));
});

test.each(["120", "Wed, 21 Oct 2026 07:28:00 GMT", "soon"])("Retry-After %p is handed on as it came", async (value) => {
  const { send } = await startSending(() => ({ status: 503, headers: { "retry-after": value } }));
  expect(await send()).toMatchObject({ status: 503, retryAfter: value });
});

test("without Retry-After there is none", async () => {
  const { send } = await startSending();
  expect(await send()).toMatchObject({ retryAfter: undefined });
});

describe("interim answers (1xx)", () => {
  test("are passed over", async () => {
    const { send } = await startSending(() => ({ raw: pieces("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(3)) }));
    expect(await send()).toMatchObject({ kind: "answered", status: 200 });
    async function* pieces(early: string) {
      yield early;
      yield `${OK}content-length: 0\r\n\r\n`;
    }
  });

  test("without an end fail the attempt long before its deadline", async () => {
    const { send } = await startSending(() => ({ raw: flood() }));
    expect(await send()).toMatchObject({ kind: "failed", step: "answer", code: "TOO_MANY_INTERIM_ANSWERS" });
    async function* flood() {
      for (;;) yield "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000);
    }
  });
});

describe("the status counts", () => {
  test.each<[string, Answer]>([
    ["when the body has exactly 64 KiB", { body: Buffer.alloc(65_536) }],
    ["when the body is longer than what is read", { body: Buffer.alloc(200_000) }],
    [
      "after 100 Continue and 103 Early Hints",
      { raw: `HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nlink: <a>\r\n\r\n${OK}content-length: 0\r\n\r\n` },
    ],
    ["when the body ends with the connection", { raw: `${OK}\r\nabc`, afterwards: "close" }],
    ["when more follows the body in the same packet", { raw: `${OK}content-length: 2\r\n\r\nok and more` }],
    ["when something follows an answer without a body", { raw: `${OK}content-length: 0\r\n\r\nhello` }],
    ["from HTTP/1.0", { raw: "HTTP/1.0 200 OK\r\n\r\nabc", afterwards: "close" }],
    [
      "when the body is chunked",
      { raw: `${OK}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-trailer: 1\r\n\r\n` },
    ],
    [
      "with a thousand headers",
      { headers: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`h${i}`, "1"])) },
    ],
  ])("%s", async (_when, answer) => {
    const { send } = await startSending(() => answer);
    expect(await send()).toMatchObject({ kind: "answered", status: 200 });
  });
});

describe("there is no answer, and the attempt fails,", () => {
  test.each<[string, Answer, { step: string; code: string }]>([
    ["when the connection is closed", "close", { step: "request", code: "ECONNRESET" }],
    ["when the connection is reset", "reset", { step: "request", code: "ECONNRESET" }],
    [
      "when it is closed within the headers",
      { raw: `${OK}conte`, afterwards: "close" },
      { step: "request", code: "ECONNRESET" },
    ],
    [
      "when the body is cut short",
      { raw: `${OK}content-length: 9\r\n\r\nabc`, afterwards: "close" },
      { step: "answer", code: "ANSWER_INCOMPLETE" },
    ],
    [
      "when the body is cut short by a reset",
      { raw: `${OK}content-length: 9\r\n\r\nabc`, afterwards: "reset" },
      { step: "answer", code: "ECONNRESET" },
    ],
    [
      "when the last chunk is missing",
      { raw: `${OK}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n`, afterwards: "close" },
      { step: "answer", code: "ANSWER_INCOMPLETE" },
    ],
    [
      "when a chunk's size is none",
      { raw: `${OK}transfer-encoding: chunked\r\n\r\nzz\r\n` },
      { step: "answer", code: "HPE_INVALID_CHUNK_SIZE" },
    ],
    [
      "with both content-length and chunked",
      { raw: `${OK}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n` },
      { step: "answer", code: "HPE_INVALID_TRANSFER_ENCODING" },
    ],
    ["when it is not HTTP", { raw: "SSH-2.0-OpenSSH_9.6\r\n\r\n" }, { step: "answer", code: "HPE_INVALID_CONSTANT" }],
    [
      "with more than 16 KiB of headers",
      { headers: { "x-long": "a".repeat(20_000) } },
      { step: "answer", code: "HPE_HEADER_OVERFLOW" },
    ],
    [
      "when another protocol is switched to",
      { raw: "HTTP/1.1 101 S\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n" },
      { step: "request", code: "NO_ANSWER" },
    ],
  ])("%s", async (_when, answer, failure) => {
    const { receiver, send } = await startSending(() => answer);
    expect(await send()).toMatchObject({ kind: "failed", ...failure });
    expect(receiver.requests.length).toBe(1);
  });
});

test("of an answer of 1 GB only its start is read, in bounded memory, and the connection is closed", async () => {
  let written = 0;
  async function* gigabyte() {
    yield `${OK}content-length: ${2 ** 30}\r\n\r\n`;
    const piece = Buffer.alloc(65_536, "x");
    for (; written < 2 ** 30; written += piece.length) yield piece;
  }
  const { receiver, send } = await startSending(() => ({ raw: gigabyte() }));
  const before = process.memoryUsage.rss();
  const result = await send();
  expect(result).toMatchObject({ kind: "answered", status: 200 });
  expect(startOf(result)).toBe("x".repeat(1024));
  while (receiver.connections.open > 0) await Bun.sleep(5);
  // What the sockets' buffers took beside the 64 KiB.
  expect(written).toBeLessThan(32 * 2 ** 20);
  expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 2 ** 20);
});

test("a second answer that nobody asked for is not taken for the next request's", async () => {
  const twice = `${OK}content-length: 0\r\n\r\nHTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n`;
  const { receiver, send } = await startSending(() => ({ raw: twice }));
  expect(await send()).toMatchObject({ status: 200 });
  receiver.respondWith(() => ({ status: 202 }));
  expect(await send()).toMatchObject({ status: 202 });
});
