import { describe, expect, test } from "bun:test";
import packageJson from "../../package.json" with { type: "json" };
import { CONTRACT_VERSIONS, contractProblem } from "../../src/contracts/contract-version";

const KNOWN = [
  { version: "1.0", changes: "the first one" },
  { version: "1.1", changes: "view.signal was added" },
  { version: "2.0", changes: "view.host became view.called.host" },
  { version: "2.1", changes: "view.remembered was added" },
];
const problem = (written: unknown, known = KNOWN) => contractProblem("matcher", written, "9.9.9", known);

describe("a plugin can be used", () => {
  test.each(["2.0", "2.1"])("when it was written for %s and there is 2.1", (written) => {
    expect(problem(written)).toBeUndefined();
  });
});

describe("a plugin cannot be used, and is told what to do,", () => {
  test.each([
    [
      "when something has changed since",
      "1.1",
      "was written for version 1.1 of the matcher contract; sayna-sip 9.9.9 has version 2.1. Use a later version of the " +
        'plugin; or change it, and say contract: "2.1". What changed: 2.0: view.host became view.called.host. 2.1: ' +
        "view.remembered was added.",
    ],
    [
      "when it needs what was added later",
      "2.2",
      "was written for version 2.2 of the matcher contract; sayna-sip 9.9.9 has version 2.1, which lacks what came later. " +
        "Use a later sayna-sip, or a version of the plugin for 2.1.",
    ],
    ["when it is for a later one", "3.0", "which lacks what came later"],
    [
      "when it does not say",
      undefined,
      'does not say which version of the matcher contract it was written for: add contract: "2.1".',
    ],
  ])("%s", (_, written, message) => {
    expect(problem(written)).toContain(message);
  });

  test.each(["2", "2.1.0", "^2.0", "v2.0", " 2.0", "2.x", "", 2, 2.1, null, {}])("when it says %p", (written) => {
    expect(problem(written)).toContain("does not say which version");
  });

  test("numbers are compared as numbers", () => {
    const known = [{ version: "1.10", changes: "x" }];
    expect(problem("1.9", known)).toBeUndefined();
    expect(problem("1.11", known)).toContain("which lacks what came later");
  });
});

describe("the versions of our contracts", () => {
  test.each(Object.entries(CONTRACT_VERSIONS))("of %s ascend, and each says what it changed", (kind, versions) => {
    const numbers = versions.map(({ version }) => version.split(".").map(Number));
    expect(numbers).toEqual(numbers.toSorted(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d));
    expect(versions.every(({ changes }) => changes !== "")).toBe(true);
    const current = versions.at(-1)?.version;
    expect(contractProblem(kind === "matcher" ? "matcher" : "storage", current, packageJson.version)).toBeUndefined();
  });
});
