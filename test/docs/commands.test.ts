import { describe, expect, test } from "bun:test";
import { helpOf } from "./command-tree";
import { documentedCommands, type DocumentedCommand } from "./documented-commands";

/** Commands that pages name and this version does not have. */
const NOT_THERE: readonly string[] = [
  "backup",
  "calls",
  "check",
  "deliveries",
  "doctor",
  "explain",
  "hooks",
  "keys",
  "provision",
  "replay",
  "restore",
];

const commands = documentedCommands();
const isThere = ({ words: [first = ""] }: DocumentedCommand): boolean => !NOT_THERE.includes(first);

/** What is wrong with a command line; undefined when it is right. */
async function faultOf({ words, isWhole }: DocumentedCommand): Promise<string | undefined> {
  const path: string[] = [];
  let rest = [...words];
  for (let help = await helpOf(path); rest[0] !== undefined && help.commands.includes(rest[0]);) {
    path.push(rest[0]);
    rest = rest.slice(1);
    help = await helpOf(path);
  }
  const { commands: below, options, needs, takes } = await helpOf(path);
  const args: string[] = [];
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i] ?? "";
    const [name = "", value] = word.split("=");
    if (!name.startsWith("-")) args.push(word);
    else if (!options.has(name)) return `${path.join(" ")} has no ${name}`;
    else if (options.get(name) === true && value === undefined && rest[++i] === undefined)
      return `${name} has no value`;
  }
  if (below.length > 0 && args[0] !== undefined) return `${path.join(" ")} has no command ${args[0]}`;
  if (args.length > takes) return `${path.join(" ")} takes ${takes} arguments`;
  if (isWhole && args.length < needs && !options.has(rest[0] ?? ""))
    return `${path.join(" ")} needs ${needs} arguments`;
  return undefined;
}

test("the pages show commands of this program, those that are run as they stand among them", () => {
  expect(commands.length).toBeGreaterThan(50);
  expect(commands.filter(({ isWhole }) => isWhole).length).toBeGreaterThan(20);
});

describe("every command that a page shows is one of the program's, with options and arguments that it has", () => {
  const lines = new Map(commands.filter(isThere).map((command) => [`${command.page}: ${command.line}`, command]));
  test.each([...lines])(
    "%s",
    async (_, command) => {
      expect(await faultOf(command)).toBeUndefined();
    },
    20_000,
  );
});

test("a command that is not there, an option and an argument too many would be found", async () => {
  const check = (...words: string[]) => faultOf({ page: "", line: "", words, isWhole: true });
  expect(await check("servve")).toContain("no command servve");
  expect(await check("serve", "--configg", "a.yaml")).toContain("no --configg");
  expect(await check("serve", "--config")).toContain("no value");
  expect(await check("demo", "tenant-a")).toContain("takes 0 arguments");
  expect(await check("serve", "--config", "a.yaml")).toBeUndefined();
});

test("what is said to be missing is missing", async () => {
  const { commands: there } = await helpOf([]);
  expect(NOT_THERE.filter((name) => there.includes(name))).toEqual([]);
});
