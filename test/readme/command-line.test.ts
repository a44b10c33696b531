import { beforeAll, describe, expect, test } from "bun:test";
import { runCli } from "../cli/run-cli";
import { quoted, section, tableRows } from "./readme";

type Command = { readonly usage: string; readonly description: string; readonly help: string };

/** Those that ask no service, and whose output is not an answer. */
const WITHOUT_JSON = new Set(["serve", "demo", "completion"]);

/** Every command that does something, by its name: those that only hold others are not among them. */
const commands = new Map<string, Command>();

beforeAll(async () => {
  await Promise.all((await namesBelow([])).map((path) => visit(path)));
});

async function visit(path: readonly string[]): Promise<void> {
  const { out: help } = await runCli([...path, "--help"]);
  if (help.includes("\nCommands:\n")) {
    for (const below of await namesBelow(path)) await visit(below);
    return;
  }
  const [, usage = ""] = /^Usage: sayna-sip (.*)$/m.exec(help) ?? [];
  const [, description = ""] = /^Usage: .*\n\n([^]*?)\n\n/.exec(help) ?? [];
  commands.set(path.join(" "), {
    usage: usage.replace(" [options]", ""),
    description: description.replaceAll("\n", " "),
    help,
  });
}

async function namesBelow(path: readonly string[]): Promise<string[][]> {
  const { out } = await runCli([...path, "--help"]);
  const [, list = ""] = out.split("\nCommands:\n");
  const names = [...list.matchAll(/^ {2}([a-z][\w-]*)(?= |$)/gm)].map(([, name = ""]) => name);
  return names.filter((name) => name !== "help").map((name) => [...path, name]);
}

test("the table has every command with its arguments and what it does, and no other", () => {
  const rows = tableRows(section("Command line")).map(([usage = "", what = ""]) => `${quoted(usage)[0]}: ${what}`);
  const expected = [...commands.values()].map(({ usage, description }) => `${usage}: ${description}`);
  expect(expected.length).toBeGreaterThan(15);
  expect(rows.toSorted()).toEqual(expected.toSorted());
});

test("every command's help has examples of it", () => {
  const without = [...commands].filter(
    ([name, { help }]) => !help.includes("\nExamples:\n") || !help.includes(`sayna-sip ${name}`),
  );
  expect(without.map(([name]) => name)).toEqual([]);
});

test("every command that gives an answer gives it as JSON too", () => {
  const without = [...commands].filter(([, { help }]) => !/^ +--json /m.test(help)).map(([name]) => name);
  expect(new Set(without)).toEqual(WITHOUT_JSON);
});

describe("completion", () => {
  test.each([
    [
      ["hooks", ""],
      ["list", "add", "remove", "history", "rollback", "pause", "resume", "test"],
    ],
    [
      ["calls", "list", "--s"],
      ["--since", "--sip-call-id", "--state"],
    ],
    [
      ["calls", "list", "--state", ""],
      ["active", "finished"],
    ],
    [
      ["completion", ""],
      ["bash", "zsh", "fish"],
    ],
  ])("of %j knows %j", async (words, expected) => {
    const { code, out } = await runCli(["complete", "--", ...words]);
    const offered = out.split("\n").map((line) => line.split("\t")[0]);
    expect({ code, offered }).toEqual({ code: 0, offered: expect.arrayContaining(expected) });
  });

  test.each(["bash", "zsh", "fish"])("%s has a script that asks this program", async (shell) => {
    const { code, out } = await runCli(["completion", shell]);
    expect({ code, asks: out.includes("sayna-sip complete --") }).toEqual({ code: 0, asks: true });
  });

  test("another shell: 2", async () => {
    expect((await runCli(["completion", "csh"])).code).toBe(2);
  });
});
