import { afterEach, expect, test } from "bun:test";
import { startSending, stopSending } from "./sending";

afterEach(stopSending);

test("the body arrives byte for byte, whatever bytes it has", async () => {
  const { receiver, send } = await startSending();
  const body = Uint8Array.from({ length: 1024 }, (_, index) => index % 256);
  await send({ body });
  expect(receiver.requests[0]?.body).toEqual(Buffer.from(body));
});

test("a view into a larger buffer sends its own bytes only", async () => {
  const { receiver, send } = await startSending();
  const whole = new TextEncoder().encode("before{}after");
  await send({ body: whole.subarray(6, 8) });
  expect(receiver.requests[0]?.body.toString()).toBe("{}");
});

test("a body of 1 MiB arrives whole", async () => {
  const { receiver, send } = await startSending();
  const body = Buffer.alloc(1024 * 1024, "x");
  expect(await send({ body })).toMatchObject({ kind: "answered", status: 200 });
  expect(receiver.requests[0]?.body.equals(body)).toBe(true);
});

test("the headers arrive as given, with content-length, Host and Connection beside them and nothing else", async () => {
  const { receiver, send } = await startSending();
  await send({
    headers: { "content-type": "application/webhook+json", "X-Sayna-Event-Id": "EV_1", "user-agent": "sayna-sip/1" },
    body: Buffer.from("{}"),
  });
  expect(receiver.requests[0]?.headers).toEqual([
    ["content-type", "application/webhook+json"],
    ["X-Sayna-Event-Id", "EV_1"],
    ["user-agent", "sayna-sip/1"],
    ["content-length", "2"],
    ["Host", `localhost:${receiver.port}`],
    ["Connection", "keep-alive"],
  ]);
});

test("no compression is asked for", async () => {
  const { receiver, send } = await startSending();
  await send();
  expect(receiver.requests[0]?.header("accept-encoding")).toBeUndefined();
});

test("path and query are the URL's, and its fragment is not sent", async () => {
  const { receiver, send } = await startSending();
  await send({ url: receiver.url("/a%20b/ü?c=d&e=%2F#f") });
  expect(receiver.requests[0]).toMatchObject({ method: "POST", path: "/a%20b/%C3%BC?c=d&e=%2F" });
});

test("the length of the body is never the caller's to say", async () => {
  const { receiver, send } = await startSending();
  await send({ headers: { "Content-Length": "1", "Transfer-Encoding": "chunked" }, body: Buffer.from("{}") });
  const [request] = receiver.requests;
  expect(request?.body.toString()).toBe("{}");
  expect(request?.headers.filter(([name]) => /length|encoding/i.test(name))).toEqual([["content-length", "2"]]);
});

test.each([
  ["a line break in a value", { "x-a": "1\r\nx-b: 2" }, "ERR_INVALID_CHAR"],
  ["a value beyond Latin-1", { "x-a": "→" }, "ERR_INVALID_CHAR"],
  ["a space in a name", { "x a": "1" }, "ERR_INVALID_HTTP_TOKEN"],
])("%s fails the attempt without sending it", async (_what, headers, code) => {
  const { receiver, send } = await startSending();
  expect(await send({ headers })).toMatchObject({ kind: "failed", step: "request", code });
  expect(receiver.connections.made).toBe(0);
});

test("a header's value is not repeated in the failure", async () => {
  const { send } = await startSending();
  expect(JSON.stringify(await send({ headers: { authorization: "Bearer s3cret\n" } }))).not.toContain("s3cret");
});

test.each(["http://localhost/", "file:///etc/passwd", "data:,x", "localhost", "https://", ""])(
  "%p is no URL to send to",
  async (url) => {
    const { send } = await startSending();
    expect(await send({ url })).toMatchObject({ kind: "failed", step: "address", code: "URL_INVALID" });
  },
);

test("the duration is measured by the given clock, in whole milliseconds", async () => {
  let reading = 0;
  const { send } = await startSending(undefined, { sender: { now: () => (reading += 12.4) } });
  expect(await send()).toMatchObject({ kind: "answered", durationMs: 12 });
  expect(await send({ url: "" })).toMatchObject({ kind: "failed", durationMs: 12 });
});
