import { expect, test } from "bun:test";
import type { HookTestView } from "../../plugins/webhook-forwarder/hook-test/hook-test-schemas";
import { checkHooks, judgeHookTest } from "../../src/doctor/check-hooks";

const WELL: HookTestView = {
  ok: true,
  outcome: "delivered",
  host: "a.example.com",
  url: "https://hooks.example/a?token=planted",
  state: "active",
  webhook_id: "EV_test_1",
  event: "room_finished",
  signatures: ["webhook-signature"],
  address: { allowed: true },
  tls: { protocol: "TLSv1.3", valid_to: "2026-11-01T00:00:00.000Z", days_left: 38 },
  attempt: { n: 1, at: "2026-11-21T22:50:01.060Z", duration_ms: 83, status: 200 },
};

const attempt = (step: string, code: string): Partial<HookTestView> => ({
  outcome: "endpoint_failed",
  attempt: { n: 1, at: WELL.attempt.at, duration_ms: 1, error: { step, code, message: "it said" } },
});
const answer = (status: number, outcome: HookTestView["outcome"]): Partial<HookTestView> => ({
  outcome,
  attempt: { ...WELL.attempt, status },
});
const days = (left: number) => ({ tls: { protocol: "TLSv1.3", days_left: left } });

test.each<[string, Partial<HookTestView>, string]>([
  ["that takes it", {}, "ok hook_right"],
  ["whose certificate has 14 days left", days(14), "ok hook_right"],
  ["whose certificate has 13 days left", days(13), "warning hook_certificate_expires"],
  ["that nothing signs for", { signatures: [] }, "warning hook_unsigned"],
  ["that is paused", { state: "paused" }, "problem hook_paused"],
  ["without an address", attempt("dns", "ENOTFOUND"), "problem hook_dns"],
  ["that nobody listens at", attempt("connect", "ECONNREFUSED"), "problem hook_unreachable"],
  ["whose certificate is not trusted", attempt("tls", "CERT_HAS_EXPIRED"), "problem hook_tls"],
  ["that takes too long", attempt("deadline", "DEADLINE"), "problem hook_slow"],
  ["that closes the connection", attempt("request", "NO_ANSWER"), "problem hook_fails"],
  ["whose secret cannot be read", attempt("request", "SECRET_UNAVAILABLE"), "problem hook_secret"],
  [
    "that leads to a private address",
    { ...attempt("address", "ADDRESS_FORBIDDEN"), address: { allowed: false } },
    "problem hook_address_forbidden",
  ],
  ["that answers 500", answer(500, "endpoint_failed"), "problem hook_refuses"],
  ["that answers 400", answer(400, "refused_event"), "problem hook_refuses"],
  ["that answers 410", answer(410, "gone"), "problem hook_refuses"],
])("a hook %s", (_, test_, expected) => {
  const finding = judgeHookTest({ ...WELL, ...test_ });
  expect(`${finding.severity} ${finding.code}`).toBe(expected);
  expect(JSON.stringify(finding)).not.toContain("planted");
});

test("hooks are tested some at a time, and told in the table's order; one that cannot be tested hides no other", async () => {
  const hosts = Array.from({ length: 20 }, (_, i) => `h${i}.example.com`);
  const done: number[] = [];
  let underWay = 0;
  let most = 0;
  const tester = {
    hosts: async () => hosts,
    async test(host: string): Promise<HookTestView> {
      most = Math.max(most, ++underWay);
      await new Promise(setImmediate);
      underWay -= 1;
      if (host === "h3.example.com") throw new Error("it is being tested already");
      return { ...WELL, host };
    },
  };
  const findings = await checkHooks(tester, undefined, (count) => done.push(count));
  expect(findings.map(({ what }) => what.split(/[ :]/, 1)[0])).toEqual(hosts);
  expect(findings[3]).toMatchObject({
    severity: "skipped",
    what: "h3.example.com could not be tested: it is being tested already",
  });
  expect([most, done.at(-1)]).toEqual([8, 20]);
});
