import { describe, expect, test } from "bun:test";
import { credentials, delivery, hooks, load, problemsOf, SIP } from "./load-text";

describe("what values must be to each other", () => {
  test.each<[string, string, string, string]>([
    ["a LiveKit key alone", "livekit: {api_key: k}", "livekit.api_key is set without livekit.api_secret", "1:11"],
    ["a LiveKit secret alone", "livekit: {api_secret: s}", "livekit.api_secret is set without livekit.api_key", "1:11"],
    [
      "authentication without a secret",
      "auth: {required: true}",
      "Authentication is required (AUTH_REQUIRED), but there is no secret",
      "1:8",
    ],
    [
      "an operator with hosts",
      credentials("{id: o, secret: s, hosts: [a.example]}"),
      "An operator's credential cannot be limited to hosts",
      "1:41",
    ],
    [
      "two credentials of one id",
      credentials("{id: o, secret: s}", "{id: o, secret: t}"),
      "Two entries of auth.api_secrets have the id 'o'",
      "1:43",
    ],
    [
      "two credentials of one secret",
      credentials("{id: o, secret: s}", "{id: p, secret: s}"),
      "Two entries of auth.api_secrets have the same secret",
      "1:50",
    ],
    ["a header twice", `${SIP}  host_headers: [To, X-To-IP, to]\n`, "sip.host_headers names 'to' twice", "4:31"],
    [
      "a matcher twice",
      `${SIP}  matchers: [exact-host, exact-host]\n`,
      "sip.matchers names 'exact-host' twice",
      "4:26",
    ],
    [
      "a deadline above max_age",
      delivery("schedule: [1s], deadline: 10s, max_age: 5s"),
      "sip.delivery.deadline (10s) is longer than 5s",
      "4:30",
    ],
    [
      "a deadline that is no deadline",
      delivery("deadline: 6m"),
      "sip.delivery.deadline (6m) is longer than 5m",
      "4:14",
    ],
    [
      "waits beyond max_age",
      delivery("schedule: [30m, 31m], max_age: 1h"),
      "The waits of sip.delivery.schedule (61m) exceed max_age (1h)",
      "4:14",
    ],
    [
      "an expiry beyond max_age",
      delivery("max_age: 1h, expiry: [{events: a, after: 1h}, {events: '*', after: 2h}]"),
      "sip.delivery.expiry[1].after (2h) is longer than max_age (1h)",
      "4:74",
    ],
    [
      "a hook's own max_age below the waits for all",
      hooks("{host: a.b, url: https://a.b, delivery: {rate: 1, max_age: 5m}}"),
      "The waits of sip.hooks[0].delivery.schedule (381s) exceed max_age (5m)",
      "4:61",
    ],
    [
      "a hook's own deadline above its max_age",
      hooks("{host: a.b, url: https://a.b, delivery: {deadline: 11s, max_age: 10s, schedule: [1s]}}"),
      "sip.hooks[0].delivery.deadline (11s) is longer than 10s",
      "4:52",
    ],
    [
      "a hook's own expiry beyond max_age",
      hooks("{host: a.b, url: https://a.b, delivery: {expiry: [{events: '*', after: 2d}]}}"),
      "sip.hooks[0].delivery.expiry[0].after (2d) is longer than max_age (1d)",
      "4:75",
    ],
  ])("%s is a problem", (_, yaml, message, source) => {
    expect(problemsOf(yaml)).toEqual([{ message, source, hint: expect.stringMatching(/\w/) }]);
  });

  test.each([
    ["an operator with no hosts", credentials("{id: o, secret: s, hosts: []}")],
    ["a tenant without hosts", credentials("{id: t, secret: s, role: tenant}")],
    ["a matcher of a plugin", `${SIP}  matchers: [my-matcher, exact-host]\n`],
    [
      "an expiry for all beyond a hook's own max_age",
      `${SIP}  delivery: {expiry: [{events: a, after: 2h}]}\n  hooks: [{host: a.b, url: https://a.b, delivery: {max_age: 1h}}]\n`,
    ],
    ["waits that end at max_age", delivery("schedule: [30m, 30m], max_age: 1h")],
    ["a wildcard beside its host", hooks("{host: a.b.c, url: https://a.b}", "{host: '*.b.c', url: https://a.b}")],
    ["keys of several projects", "livekit: {webhook_keys: [{api_key: k, api_secret: s}]}"],
  ])("%s is none", (_, yaml) => {
    expect(() => load(yaml)).not.toThrow();
  });

  test("a half from the file and a half from a variable are a pair", () => {
    const { livekit } = load("livekit: {api_key: k}", { LIVEKIT_API_SECRET: "s" });
    expect([livekit.api_key, livekit.api_secret?.reveal()]).toEqual(["k", "s"]);
  });

  test("a lonely variable is named as the source", () => {
    expect(problemsOf("data_dir: x", { LIVEKIT_API_KEY: "k" })[0]?.source).toBe("LIVEKIT_API_KEY");
    expect(problemsOf("", { AUTH_REQUIRED: "true" })[0]?.source).toBe("AUTH_REQUIRED");
  });
});
