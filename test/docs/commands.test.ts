import { beforeAll, describe, expect, test } from "bun:test";
import { findCommand, readCommandTree, type CommandNode } from "./command-tree";
import { documentedCommands, type DocumentedCommand } from "./documented-commands";

const commands = documentedCommands();
let program: CommandNode;

beforeAll(async () => {
  program = await readCommandTree();
}, 240_000);

/** What is wrong with a command line; undefined when it is right. */
function faultOf({ words, isWhole }: Pick<DocumentedCommand, "words" | "isWhole">): string | undefined {
  const { command, rest } = findCommand(program, words);
  const args: string[] = [];
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i] ?? "";
    const [name, value] = word.split("=");
    const option = command.options.find((each) => each.name === name);
    if (name === "--help") return undefined;
    if (!word.startsWith("-")) args.push(word);
    else if (option === undefined) return `${command.name} has no ${name}`;
    else if (option.hasValue && value === undefined && rest[++i] === undefined) return `${name} has no value`;
  }
  if (command.commands.length > 0 && args[0] !== undefined) return `${command.name} has no command ${args[0]}`;
  if (command.takes !== null && args.length > command.takes) return `${command.name} takes ${command.takes} arguments`;
  if (isWhole && args.length < command.needs) return `${command.name} needs ${command.needs} arguments`;
  return undefined;
}

test("the pages show commands of this program, those that are run as they stand among them", () => {
  expect(commands.length).toBeGreaterThan(50);
  expect(commands.filter(({ isWhole }) => isWhole).length).toBeGreaterThan(20);
});

describe("every command that a page shows is one of the program's, with options and arguments that it has", () => {
  // The one that stands for all of them.
  const shown = commands.filter(({ line }) => line !== "sayna-sip <command> --help");
  test.each([...new Map(shown.map((command) => [`${command.page}: ${command.line}`, command]))])("%s", (_, command) => {
    expect(faultOf(command)).toBeUndefined();
  });
});

test("every command that asks or changes something is on a page of docs/", () => {
  const leaves = (node: CommandNode, path: readonly string[]): string[] =>
    node.commands.length === 0 ? [path.join(" ")] : node.commands.flatMap((each) => leaves(each, [...path, each.name]));
  const inDocs = commands.filter(({ page }) => page.startsWith("docs/")).map(({ words }) => words.join(" "));
  const isNamed = (name: string): boolean => inDocs.some((words) => words === name || words.startsWith(`${name} `));
  const unnamed = leaves(program, []).filter((name) => !isNamed(name) && !name.startsWith("comp"));
  expect(unnamed).toEqual([]);
});

test("a command that is not there, an option and an argument too many would be found", () => {
  const check = (...words: string[]) => faultOf({ words, isWhole: true });
  expect(check("servve")).toContain("no command servve");
  expect(check("serve", "--configg", "a.yaml")).toContain("no --configg");
  expect(check("serve", "--config")).toContain("no value");
  expect(check("demo", "tenant-a")).toContain("takes 0 arguments");
  expect(check("hooks", "remove")).toContain("needs 1 arguments");
  expect(check("serve", "--config", "a.yaml")).toBeUndefined();
});
