import { expect, test } from "bun:test";
import { readAskedCall } from "../../src/doctor/asked-call";
import { judgeMatch, judgePast, type MatchedCall } from "../../src/doctor/check-host";

const call = readAskedCall("<sip:+15557654321@a.example.com>");
const none: MatchedCall = { outcome: "none", hook: undefined, hosts: [] };

test.each<[string, MatchedCall, string, string]>([
  ["a hook has it", { ...none, hook: "*.example.com" }, "ok host_matched", "the hook of *.example.com"],
  ["a matcher gave no answer", { ...none, outcome: "undecided" }, "warning host_undecided", "explain a.example.com"],
  ["nobody has it", none, "problem host_without_hook", "No hook matches calls to a.example.com."],
  [
    "a wildcard is for names below it",
    { ...none, hosts: ["*.a.example.com"] },
    "problem host_without_hook",
    "There is one of *.a",
  ],
  [
    "a hook has nearly that name",
    { ...none, hosts: ["aa.example.com"] },
    "problem host_without_hook",
    "one of aa.example.com",
  ],
])("of a call's host it is told when %s", (_, matched, found, says) => {
  const finding = judgeMatch(call, matched);
  expect(`${finding.severity} ${finding.code}`).toBe(found);
  expect(JSON.stringify(finding)).toContain(says);
});

test.each<[string, Parameters<typeof judgePast>[2], readonly string[], string]>([
  ["calls came", { calls: 1, dead: 0, unmatched: 0 }, ["ok host_has_calls"], "1 call to"],
  ["none came", { calls: 0, dead: 0, unmatched: 0 }, ["warning host_no_calls"], "No call to"],
  [
    "deliveries ended without arriving",
    { calls: 3, dead: 2, unmatched: 0 },
    ["warning host_dead_deliveries", "ok host_has_calls"],
    "2 deliveries to",
  ],
  [
    "events came before the hook",
    { calls: 50, dead: 0, unmatched: 1 },
    ["warning host_unmatched_before", "ok host_has_calls"],
    "50 or more calls",
  ],
])("of what was before it is told that %s", (_, past, found, says) => {
  const findings = judgePast("a.example.com", "a.example.com", past);
  expect(findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual([...found]);
  expect(JSON.stringify(findings)).toContain(says);
});
