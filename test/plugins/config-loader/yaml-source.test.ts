import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { readYaml } from "../../../plugins/config-loader/yaml-source";
import { load, messagesOf, problemsOf, SIP } from "./load-text";

describe("YAML that is not understood is a problem at its place", () => {
  test.each<[string, string, string, string]>([
    ["a tab as indentation", "server:\n\tport: 1\n", "Not valid YAML: Tabs are not allowed as indentation", "2:1"],
    ["a key twice", "data_dir: a\ndata_dir: b\n", "Not valid YAML: A key is there twice in the same block", "2:1"],
    [
      "a key twice in a flow mapping",
      "server: {port: 1, port: 2}\n",
      "Not valid YAML: A key is there twice in the same block",
      "1:19",
    ],
    ["a missing quote", 'data_dir: "a\n', 'Not valid YAML: Missing closing "quote', "2:1"],
    ["a second document", "data_dir: a\n---\ndata_dir: b\n", "Not valid YAML: There is more than one document", "2:1"],
    ["an unknown tag", "data_dir: !path a\n", "Not valid YAML: A tag (!) is not known", "1:11"],
    ["a tag of YAML 1.1", "data_dir: !!binary aGk=\n", "Not valid YAML: A tag (!) is not known", "1:11"],
    ["an unknown directive", "%FOO bar\n---\ndata_dir: a\n", "Not valid YAML: A directive (%) is not valid", "1:1"],
    ["YAML 1.1", "%YAML 1.1\n---\nauth: {required: yes}\n", "Only YAML 1.2 is read", "1:1"],
    ["an alias without anchor", "data_dir: *nothing\n", "An alias (*) has no anchor (&) before it", "1:11"],
    ["an alias within its anchor", "plugins: &a [*a]\n", "An alias (*) has no anchor (&) before it", "1:14"],
    ["a list at the top", "- a\n", "The configuration must be a mapping", "1:1"],
    ["a word at the top", "hello\n", "The configuration must be a mapping", "1:1"],
    ["a mapping as a key", "{a: b}: c\n", "Not valid YAML: A key is no string", "1:1"],
  ])("%s", (_, yaml, message, source) => {
    expect(problemsOf(yaml)).toEqual([{ message, source, hint: expect.stringMatching(/\w/) }]);
  });

  test("what still means something is checked beside it", () => {
    expect(messagesOf("data_dir: a\ndata_dir: b\nserver: {port: x}\n")).toEqual([
      "Not valid YAML: A key is there twice in the same block",
      "server.port must be a whole number from 0 to 65535, not a string",
    ]);
  });

  test("nothing is said about what is missing in a file that was not understood", () => {
    const messages = messagesOf('sip: {room_prefix: "sip-\n', { SIP_HOOKS_JSON: "[]", AUTH_REQUIRED: "true" });
    expect(messages.filter((message) => !message.startsWith("Not valid YAML"))).toEqual([]);
  });
});

describe("YAML 1.2 is read as it is meant", () => {
  test("anchors and aliases, each use at the place where the value is written", () => {
    const hooks = "  hooks: [{host: a.example, url: &u https://x.example}, {host: b.example, url: *u}]\n";
    expect(load(`${SIP}${hooks}`).sip?.hooks.map(({ url }) => url)).toEqual(["https://x.example", "https://x.example"]);
  });

  test("a problem behind an alias is reported for each use", () => {
    expect(
      problemsOf("plugins: &p [1]\nauth: {api_secrets: *p}\n").map(({ source, message }) => [source, message]),
    ).toEqual([
      ["1:14", "auth.api_secrets[0] must be a mapping, not a number"],
      ["1:14", "plugins[0] must be a mapping, not a number"],
    ]);
  });

  test("yes, no, on and off are strings; octal-looking digits are numbers", () => {
    expect(messagesOf("auth: {required: on}")).toEqual(["auth.required must be true or false, not a string"]);
    expect(messagesOf("data_dir: 0777")).toEqual(["data_dir must be a string, not a number"]);
  });

  test("CRLF lines are counted as lines", () => {
    expect(problemsOf("data_dir: a\r\nserver:\r\n  prot: 1\r\n")[0]?.source).toBe("3:3");
  });
});

describe("hostile YAML ends, within the time of a test", () => {
  test("aliases of aliases (billion laughs)", () => {
    const levels = Array.from(
      { length: 20 },
      (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(", ")}]`,
    );
    const yaml = `a0: &a0 [x, x]\n${levels.join("\n")}\n`;
    expect(messagesOf(yaml)).toEqual(["The file holds too much"]);
  });

  test("very deep nesting", () => {
    expect(messagesOf(`plugins: ${"[".repeat(50_000)}${"]".repeat(50_000)}`)).not.toBeEmpty();
    expect(messagesOf(`plugins: ${"[".repeat(60)}${"]".repeat(60)}`)).toEqual(["The file holds too much"]);
  });

  test("whatever the text, reading gives a mapping or says why not", () => {
    const piece = fc.constantFrom(
      ..."{}[]:,-#&*!|>'\"%@`?\n\t ~".split(""),
      ..."sip hooks host <<: *a &a !!str --- ... %YAML null 0x1F .inf \\u0000".split(" "),
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(piece, fc.string({ unit: "binary", maxLength: 4 })), { maxLength: 40 }),
        (pieces) => {
          const { tree, problems, complete } = readYaml(pieces.join(""), "f.yaml");
          expect(Object.keys(tree).length === 0 || complete).toBe(true);
          expect(problems.every(({ source }) => source.startsWith("f.yaml"))).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
