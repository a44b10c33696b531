import { expect, test } from "bun:test";
import { builtInMatchers, type CallRoute } from "../../../../plugins/webhook-forwarder/matchers";
import type { MatchView } from "../../../../src/contracts/matcher";
import { MATCHER_OF } from "../../../../src/domain/call-route";
import { matchView, testMatcher, type MatcherCase } from "../../../../src/testing";
import { pattern } from "../../../support/webhooks";

const HOOKS = ["a.example.com", "b.example.com", "*.example.com", "*.b.example.com"].map((host) => ({ host }));
const [A, B] = [pattern("a.example.com"), pattern("b.example.com")];
const GONE = pattern("gone.example.com");

const ROUTES: readonly CallRoute[] = [
  { hook: A, when: { kind: "number", number: "+15557654321" } },
  { hook: B, when: { kind: "number", number: "7042" } },
  { hook: GONE, when: { kind: "number", number: "+1666" } },
  { hook: A, when: { kind: "number_prefix", prefix: "+49" } },
  { hook: B, when: { kind: "number_prefix", prefix: "+4930" } },
  { hook: GONE, when: { kind: "number_prefix", prefix: "+4931" } },
  { hook: A, when: { kind: "trunk", trunk: "ST_a" } },
  { hook: GONE, when: { kind: "trunk", trunk: "ST_gone" } },
  { hook: A, when: { kind: "attribute", attribute: "sip.h.x-tenant", value: "blue" } },
  { hook: B, when: { kind: "attribute", attribute: "sip.h.x-tenant", value: "Blue" } },
  { hook: B, when: { kind: "attribute", attribute: "colour", value: "blue" } },
  { hook: GONE, when: { kind: "attribute", attribute: "colour", value: "gone" } },
];

const CASES: Readonly<Record<string, readonly MatcherCase[]>> = {
  "exact-host": [
    { name: "the hook of the called host", caller: { to: "<sip:+1555@a.example.com>" }, answer: "a.example.com" },
    { name: "whatever its case, on any port", caller: { to: "<sip:A.Example.COM:5080>" }, answer: "a.example.com" },
    { name: "no wildcard", caller: { to: "<sip:c.example.com>" }, answer: "not-mine" },
    { name: "nothing without a host", caller: {}, answer: "not-mine" },
  ],
  "wildcard-host": [
    { name: "the hook of the suffix", caller: { to: "<sip:c.example.com>" }, answer: "*.example.com" },
    { name: "of two suffixes the longer one", caller: { to: "<sip:x.b.example.com>" }, answer: "*.b.example.com" },
    { name: "nothing for the suffix itself", caller: { to: "<sip:example.com>" }, answer: "not-mine" },
  ],
  "called-number": [
    { name: "the hook of the number", caller: { number: "+15557654321" }, answer: "a.example.com" },
    { name: "whatever makes it readable", caller: { number: "+1 (555) 765-43.21" }, answer: "a.example.com" },
    { name: "a global number with parameters", caller: { number: "+15557654321;npdi" }, answer: "a.example.com" },
    { name: "a local number", caller: { number: "7042" }, answer: "b.example.com" },
    { name: "but not that of another context", caller: { number: "7042;phone-context=x" }, answer: "not-mine" },
    { name: "with + it is another number", caller: { number: "15557654321" }, answer: "not-mine" },
    { name: "no prefix", caller: { number: "+155576543210" }, answer: "not-mine" },
    {
      name: "not the number that an outbound leg calls from",
      caller: { number: "+15557654321", outbound: true },
      answer: "not-mine",
    },
    { name: "no hook, when the number's hook is gone, and nobody else's", caller: { number: "+1666" }, answer: "none" },
  ],
  "number-prefix": [
    { name: "the hook of the prefix", caller: { number: "+4989123" }, answer: "a.example.com" },
    { name: "of two prefixes the longer one", caller: { number: "+4930123" }, answer: "b.example.com" },
    { name: "the prefix itself", caller: { number: "+49" }, answer: "a.example.com" },
    { name: "nothing for a shorter number", caller: { number: "+4" }, answer: "not-mine" },
    { name: "no hook, when the prefix's hook is gone", caller: { number: "+49311" }, answer: "none" },
  ],
  trunk: [
    { name: "the hook of the trunk", caller: { trunk: "ST_a" }, answer: "a.example.com" },
    { name: "to the letter", caller: { trunk: "ST_A" }, answer: "not-mine" },
    { name: "no hook, when the trunk's hook is gone", caller: { trunk: "ST_gone" }, answer: "none" },
  ],
  attribute: [
    { name: "the hook of the value", caller: { attributes: { "sip.h.x-tenant": "blue" } }, answer: "a.example.com" },
    { name: "to the letter", caller: { attributes: { "sip.h.x-tenant": "Blue" } }, answer: "b.example.com" },
    { name: "no other value", caller: { attributes: { "sip.h.x-tenant": "blue " } }, answer: "not-mine" },
    {
      name: "of two the first route",
      caller: { attributes: { colour: "blue", "sip.h.x-tenant": "blue" } },
      answer: "a.example.com",
    },
    { name: "no hook, when its hook is gone", caller: { attributes: { colour: "gone" } }, answer: "none" },
  ],
};

for (const matcher of builtInMatchers(ROUTES)) {
  testMatcher(`the built-in matcher ${matcher.name}`, {
    create: () => matcher,
    hooks: HOOKS,
    cases: CASES[matcher.name] ?? [],
  });
}

test("without routes those for routes say that it is not theirs, and look at nothing", () => {
  const view = Object.freeze({ hooks: matchView({}, HOOKS).hooks, participant: { attributes: {} } }) as MatchView;
  for (const name of Object.values(MATCHER_OF)) {
    expect(
      builtInMatchers([])
        .find((matcher) => matcher.name === name)
        ?.match(view),
    ).toEqual({ kind: "not-mine" });
  }
});
