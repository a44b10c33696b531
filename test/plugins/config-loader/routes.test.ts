import { describe, expect, test } from "bun:test";
import { load, problemsOf, SIP } from "./load-text";

const ALL = "  matchers: [called-number, number-prefix, trunk, attribute, exact-host, wildcard-host]\n";
const routes = (...entries: string[]) =>
  `${SIP}${ALL}  routes:\n${entries.map((entry) => `  - {${entry}}\n`).join("")}`;
const told = (yaml: string) => problemsOf(yaml).map(({ source, message, hint }) => `${source} ${message} | ${hint}`);

describe("routes", () => {
  test("are read with their numbers as they are compared, and their hooks as the table has them", () => {
    const { sip } = load(
      routes('number: "+1 (555) 765-4321", hook: A.Example.com', 'number_prefix: "+49.30", hook: "*.b.example.com"'),
    );
    expect(sip?.routes.map(({ hook, number, number_prefix: prefix }) => [String(hook), number, prefix])).toEqual([
      ["a.example.com", "+15557654321", undefined],
      ["*.b.example.com", undefined, "+4930"],
    ]);
  });

  test.each([
    [
      "nothing to look for",
      "hook: a.example.com",
      "names no calls | Write one of number, number_prefix, trunk, attribute; for more of them write a matcher.",
    ],
    [
      "two things to look for",
      'trunk: ST_1, number: "+1", hook: a.example.com',
      "names number and trunk | Write one of",
    ],
    [
      "an attribute without value",
      "attribute: x, hook: a.example.com",
      "has an attribute without its value | attribute and value belong together",
    ],
    ["a value without attribute", 'number: "+1", value: x, hook: a.example.com', "has a value without an attribute |"],
    [
      "a number that YAML reads as one",
      "number: +15557654321, hook: a.example.com",
      'must be a number in quotes, such as "+15557654321", not a number | Write a string; what reads as a number or as true needs quotes.',
    ],
    [
      "a name in the place of a number",
      "number: sales, hook: a.example.com",
      "is not a number: 'sales' | Write it as the carrier sends it",
    ],
    [
      "a trunk's name",
      "trunk: sayna-sip--trunk, hook: a.example.com",
      "is not the id of a LiveKit trunk: 'sayna-sip--trunk' | Use the id, which begins with ST_",
    ],
    ["a hook that is no host", 'number: "+1", hook: "https://a.example.com"', "SIP hook host is not a host"],
    ["no hook", 'number: "+1"', "sip.routes[0].hook is missing"],
    ["a misspelt key", 'numbers: "+1", hook: a.example.com', "Did you mean 'number'?"],
  ])("with %s are refused", (_, entry, expected) => {
    expect(told(routes(entry)).join("\n")).toContain(expected);
  });

  test("for the same calls are refused, however they are written", () => {
    expect(told(routes('number: "+1555", hook: a.example.com', 'number: "+1-555", hook: b.example.com'))).toEqual([
      "7:5 Two entries of sip.routes are for the same calls (number '+1555') | Keep one.",
    ]);
  });

  test("whose matcher is not asked are refused: their calls would go by their host alone", () => {
    expect(told(`${SIP}  routes:\n  - {trunk: ST_1, hook: a.example.com}\n`)).toEqual([
      "5:5 sip.routes[0] is never looked at: sip.matchers does not name trunk | Add it: what comes first decides, for instance [trunk, exact-host, wildcard-host].",
    ]);
  });
});

describe("the matchers' deadline", () => {
  test("is 2 s, and at most 10 s", () => {
    expect(load(SIP).sip?.matcher_deadline).toBe(2_000);
    expect(load(`${SIP}  matcher_deadline: 10s\n`).sip?.matcher_deadline).toBe(10_000);
    expect(told(`${SIP}  matcher_deadline: 11s\n`)).toEqual([
      "4:3 sip.matcher_deadline (11s) is longer than 10s | Use at most 10s: LiveKit waits for the answer, and drops what has waited for 30 s.",
    ]);
  });
});

test("plugins are named by a path or package, or with their own name and options, and know where they were written", () => {
  const { plugins } = load("plugins:\n- ./a.ts\n- {module: b, name: c, options: {d: 1}}\n");
  expect(plugins).toMatchObject([
    { module: "./a.ts", options: {} },
    { module: "b", name: "c", options: { d: 1 } },
  ]);
  expect(plugins[1]?.places.get("/plugins/1/options/d")).toEndWith(":3:34");
});
