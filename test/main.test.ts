import { describe, expect, test } from "bun:test";

const MAIN = new URL("../src/main.ts", import.meta.url).pathname;

function run(...args: string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, MAIN, ...args], { stdin: "ignore" });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

describe("a command that there is not is refused", () => {
  test.each([
    [["serv"], "error: there is no command 'serv'\nDid you mean serve?"],
    [["server", "--config", "x.yaml"], "error: there is no command 'server'\nDid you mean serve?"],
    [["demmo"], "error: there is no command 'demmo'\nDid you mean demo?"],
    [
      ["sayna-sip.yaml"],
      "error: there is no command 'sayna-sip.yaml'\nA configuration file is named by: serve --config FILE",
    ],
  ])("%j", (args, message) => {
    expect(run(...args)).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: `${message}\n(sayna-sip --help lists the commands)\n`,
    });
  });
});

test.each([
  [["serve", "serv"], "error: too many arguments for 'serve'. Expected 0 arguments but got 1: serv."],
  [["--confg", "x.yaml"], "error: unknown option '--confg'\n(Did you mean --config?)"],
])("what a command does not take is refused: %j", (args, message) => {
  expect(run(...args)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message) });
});

test.each([[["--config", "/dev/null/x.yaml"]], [["serve", "--config", "/dev/null/x.yaml"]]])(
  "serve is the command when none is named: %j",
  (args) => {
    expect(run(...args)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("/dev/null/x.yaml") });
  },
);
