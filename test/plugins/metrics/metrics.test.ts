import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { CATALOGUE } from "../../../plugins/metrics/catalogue";
import { sendOnce } from "./send-once";
import { parseExposition, valueOf, type Family } from "../../support/exposition";
import { A, answered, OPS, StartedService } from "../../support/started-service";

let service: StartedService;

beforeEach(async () => {
  service = await StartedService.start();
});
afterEach(() => service.end());

async function scrape(): Promise<ReadonlyMap<string, Family>> {
  const { status, headers, text } = await sendOnce(service, "/metrics", OPS);
  expect(status).toBe(200);
  expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return parseExposition(text);
}

describe("who may read them", () => {
  test.each([
    ["an operator", OPS, 200],
    ["a tenant", A, 403],
    ["nobody known", undefined, 401],
  ])("%s", async (_, token, status) => {
    expect((await sendOnce(service, "/metrics", token)).status).toBe(status);
  });

  test("an operator who can set a query only", async () => {
    expect((await sendOnce(service, `/metrics?api_key=${OPS}`, undefined)).status).toBe(200);
  });
});

test("every metric of the catalogue is there from the start, and none besides", async () => {
  const families = await scrape();
  expect([...families.keys()]).toEqual(CATALOGUE.map(({ name }) => name));
});

test("a call is seen in each step of its way", async () => {
  await service.call("RM_1", "one.a.example.com");
  await service.call("RM_2", "unknown.example.com");
  const families = await scrape();
  const value = (series: string) => valueOf(families, series);
  expect({
    kept: value('sayna_sip_webhooks_total{result="kept"}'),
    acknowledged: value("sayna_sip_acknowledgement_seconds_count"),
    commits: value("sayna_sip_commit_seconds_count"),
    committed: value("sayna_sip_commit_events_sum"),
    late: value("sayna_sip_webhook_lateness_seconds_count"),
    queued: value("sayna_sip_queueing_seconds_count"),
    attempts: value('sayna_sip_attempt_seconds_count{verdict="success"}'),
    answered: value('sayna_sip_attempts_total{status="2xx"}'),
    delivered: value('sayna_sip_deliveries_total{outcome="delivered"}'),
    deliveryTimes: value("sayna_sip_delivery_seconds_count"),
    unmatched: value("sayna_sip_unmatched_participants_total"),
    pending: value("sayna_sip_deliveries_pending"),
    oldest: value("sayna_sip_oldest_pending_seconds"),
    hooks: value("sayna_sip_hooks"),
  }).toEqual({
    kept: 8,
    acknowledged: 8,
    commits: 8,
    committed: 8,
    late: 8,
    queued: 4,
    attempts: 4,
    answered: 4,
    delivered: 4,
    deliveryTimes: 4,
    unmatched: 1,
    pending: 0,
    oldest: 0,
    hooks: 2,
  });
  expect(value("sayna_sip_storage_bytes")).toBeGreaterThan(4096);
});

test("an outage shows: failures, an open breaker, what waits and for how long", async () => {
  service.answer = () => answered(500);
  await service.call("RM_1", "one.a.example.com");
  await service.call("RM_2", "one.a.example.com");
  await service.clock.turn(60_000);
  const families = await scrape();
  const value = (series: string) => valueOf(families, series) ?? NaN;
  expect(value("sayna_sip_breakers_open")).toBe(1);
  expect(value("sayna_sip_breakers_opened_total")).toBe(1);
  expect(value("sayna_sip_deliveries_pending")).toBe(8);
  expect(value("sayna_sip_lanes_pending")).toBe(2);
  expect(value("sayna_sip_oldest_pending_seconds")).toBeGreaterThanOrEqual(60);
  expect(value("sayna_sip_oldest_pending_seconds")).toBeLessThan(62);
  expect(value('sayna_sip_attempt_seconds_count{verdict="endpoint"}')).toBe(value("sayna_sip_retries_total"));
  expect(value('sayna_sip_attempts_total{status="5xx"}')).toBeGreaterThan(4);

  service.answer = () => answered(200);
  await service.clock.turn(120_000);
  const after = await scrape();
  expect(valueOf(after, "sayna_sip_breakers_open")).toBe(0);
  expect(valueOf(after, "sayna_sip_deliveries_pending")).toBe(0);
  expect(valueOf(after, 'sayna_sip_delivery_seconds_bucket{le="15"}')).toBe(0);
  expect(valueOf(after, 'sayna_sip_delivery_seconds_bucket{le="+Inf"}')).toBe(8);
});

test("what was refused is counted by why", async () => {
  await service.request("POST", "/livekit/webhook", undefined, {});
  const families = await scrape();
  expect(valueOf(families, 'sayna_sip_webhook_refusals_total{reason="missing"}')).toBe(1);
  expect(valueOf(families, 'sayna_sip_webhook_refusals_total{reason="signature"}')).toBe(0);
});

test("no series names a hook, a host, a tenant, a room or a number", async () => {
  await service.call("RM_1", "one.a.example.com");
  const { text } = await sendOnce(service, "/metrics", OPS);
  for (const secret of ["a.example", "tenant-a", "RM_1", "PA_", "1555"]) expect(text).not.toContain(secret);
});
