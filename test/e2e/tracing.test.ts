import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { livekitToken } from "../support/livekit-token";
import { OtlpReceiver, type Span } from "../support/otlp-receiver";
import { callWebhooks } from "../support/call-load";
import { ok, World, type WorldOptions } from "../support/world";
import type { Answer } from "../support/tls-receiver";

const INCOMING = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/;

let collector: OtlpReceiver;
let world: World;
let answer: Answer = ok;

const start = (env: Record<string, string>, options: Partial<WorldOptions> = {}) =>
  World.start({
    tenants: { a: [{ host: "a.example.com" }] },
    receivers: { a: { respond: () => answer } },
    env: { OTEL_BSP_SCHEDULE_DELAY: "50", ...env },
    ...options,
  });

beforeAll(async () => {
  collector = new OtlpReceiver();
  world = await start({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_SERVICE_NAME: "sip-of-berlin",
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=test",
  });
});
afterAll(async () => {
  await world.end();
  await collector.stop();
});

const spansOf = (event: string) =>
  collector.spans.filter(({ attributes }) => attributes["sayna_sip.event.id"] === event);
const one = (spans: readonly Span[], name: string): Span => {
  const [found, ...others] = spans.filter((span) => span.name === name);
  if (found === undefined || others.length > 0) throw new Error(`there is not just one ${name}`);
  return found;
};

async function send(body: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(`${world.server.url}/livekit/webhook`, {
    method: "POST",
    body,
    headers: { authorization: livekitToken(body), "content-type": "application/webhook+json", ...headers },
  });
  return response.status;
}

test("an event's trace has its webhook, the commit and the attempt, and the tenant is told which attempt it was", async () => {
  const [started, joined] = callWebhooks("a", "one", 2);
  expect(await send(started?.body ?? "")).toBe(200);
  expect(await send(joined?.body ?? "", { traceparent: INCOMING })).toBe(200);
  await world.tenant("a").waitFor(2);
  await collector.waitFor(6);
  const spans = spansOf(joined?.id ?? "");
  const root = one(spans, "POST /livekit/webhook");
  const attempt = one(spans, "deliver");
  const commit = one(
    collector.spans.filter(({ parentSpanId }) => parentSpanId === root.spanId),
    "commit",
  );
  expect([root.kind, root.parentSpanId, root.failed]).toEqual([2, undefined, false]);
  expect([attempt.kind, attempt.parentSpanId, attempt.traceId]).toEqual([3, root.spanId, root.traceId]);
  expect(commit.traceId).toBe(root.traceId);
  expect(commit.ms).toBeLessThanOrEqual(root.ms);
  expect(root.attributes).toMatchObject({
    "sayna_sip.result": "kept",
    "sayna_sip.event.name": "participant_joined",
    "sayna_sip.room.sid": "RM_one",
    "http.response.status_code": 200,
  });
  expect(attempt.attributes).toMatchObject({
    "server.address": "localhost",
    "http.response.status_code": 200,
    "http.request.resend_count": 0,
    "sayna_sip.verdict": "success",
  });
  expect(root.resource).toMatchObject({ "service.name": "sip-of-berlin", "deployment.environment": "test" });
  // The trace that LiveKit, or a proxy, began is another one: linked.
  expect(root.links).toEqual([{ traceId: INCOMING.slice(3, 35), spanId: INCOMING.slice(36, 52) }]);
  const [, second] = world.tenant("a").requests;
  expect(TRACEPARENT.exec(second?.header("traceparent") ?? "")?.slice(1)).toEqual([root.traceId, attempt.spanId]);
  expect(collector.requests.every(({ path }) => path === "/v1/traces")).toBe(true);
});

test("after a restart attempts are in the trace that the webhook began, failures are marked, and a repetition is beside it", async () => {
  answer = { status: 503 };
  const [, joined] = callWebhooks("a", "two", 2);
  expect(await send(joined?.body ?? "")).toBe(200);
  const before = world.tenant("a").requests.length;
  await world.tenant("a").waitFor(before + 1);
  expect(await world.server.stop()).toBe(0);
  answer = ok;
  await world.startAgain();
  expect(await send(joined?.body ?? "")).toBe(200);
  const delivered = () =>
    spansOf(joined?.id ?? "").filter(({ attributes }) => attributes["sayna_sip.verdict"] === "success");
  const received = () => spansOf(joined?.id ?? "").filter(({ name }) => name === "POST /livekit/webhook");
  // They are sent in batches, in no certain order.
  while (delivered().length === 0 || received().length < 2) await Bun.sleep(20);
  const spans = spansOf(joined?.id ?? "");
  const webhooks = received();
  const [root, repetition] = webhooks;
  expect(webhooks.map(({ attributes }) => attributes["sayna_sip.result"])).toEqual(["kept", "duplicate"]);
  expect(repetition?.parentSpanId).toBe(root?.spanId ?? "");
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  const attempts = spans.filter(({ name }) => name === "deliver");
  expect(attempts.every(({ parentSpanId }) => parentSpanId === root?.spanId)).toBe(true);
  expect(attempts.map(({ failed }) => failed)).toEqual([...attempts.slice(1).map(() => true), false]);
  expect(new Set(attempts.map(({ spanId }) => spanId)).size).toBe(attempts.length);
  expect(attempts[0]?.attributes["error.type"]).toBe("503");
});

describe("the standard variables", () => {
  test.each([
    ["nothing is asked for", {}, 0],
    ["OTEL_SDK_DISABLED", { OTEL_SDK_DISABLED: "true", OTEL_EXPORTER_OTLP_ENDPOINT: "HERE" }, 0],
    ["always_off", { OTEL_TRACES_SAMPLER: "always_off", OTEL_EXPORTER_OTLP_ENDPOINT: "HERE" }, 0],
    ["protobuf, the default", { OTEL_EXPORTER_OTLP_ENDPOINT: "HERE" }, 1],
  ])("%s", async (_, env: Record<string, string>, least) => {
    const here = new OtlpReceiver();
    const other = await start(
      Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replace("HERE", here.url)])),
    );
    const [, joined] = callWebhooks("a", "three", 2);
    await other.send(joined?.body ?? "");
    await other.tenant("a").waitFor(1);
    const [request] = other.tenant("a").requests;
    const sampled = (request?.header("traceparent") ?? "").endsWith("-01");
    expect(sampled).toBe(least > 0);
    if (env.OTEL_TRACES_SAMPLER === undefined && least === 0) expect(request?.header("traceparent")).toBeUndefined();
    // What is left is sent at the stop.
    expect(await other.server.stop()).toBe(0);
    expect(here.requests.length > 0).toBe(least > 0);
    expect(here.requests.filter(({ type }) => type !== "application/x-protobuf")).toEqual([]);
    await other.end();
    await here.stop();
  });

  test("a collector that is away is told of once, and costs no event", async () => {
    const other = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_EXPORTER_OTLP_TIMEOUT: "300" });
    for (const { body } of callWebhooks("a", "four", 5)) await other.send(body);
    await other.tenant("a").waitFor(5);
    await other.server.waitForLine("Traces cannot be sent");
    expect(await other.server.stop()).toBe(0);
    expect(other.server.lines.filter(({ msg }) => msg.startsWith("Traces cannot be sent"))).toHaveLength(1);
    await other.end();
  });
});
