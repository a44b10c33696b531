import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MatcherParts } from "sayna-sip";
import { createForTest, ManualClock, matchView, optionsTable, settle, testMatcher } from "sayna-sip/testing";
import plugin from "./csv-matcher";
import { readTable } from "./read-table";

const HOOKS = [
  { host: "tenant-a.example.com", authId: "tenant-a" },
  { host: "tenant-b.example.com", authId: "tenant-b" },
];

testMatcher("csv-numbers with numbers.csv", {
  create: () => createForTest(plugin, { options: { file: "numbers.csv" }, directory: import.meta.dir }),
  hooks: HOOKS,
  cases: [
    { name: "a number of the table", caller: { number: "+15557654321" }, answer: "tenant-a.example.com" },
    { name: "written in another way", caller: { number: "+1-555-765-4322" }, answer: "tenant-b.example.com" },
    { name: "another number", caller: { number: "+15550000" }, answer: "not-mine" },
    { name: "no number", caller: { to: "<sip:bob@tenant-a.example.com>" }, answer: "not-mine" },
    { name: "a number whose hook is not there", caller: { number: "7042" }, answer: "none" },
  ],
});

describe("a table that changes", () => {
  let directory: string;
  let file: string;
  let clock: ManualClock;
  let matcher: MatcherParts;
  let lines: string[];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "csv-matcher-"));
    file = join(directory, "numbers.csv");
    clock = new ManualClock();
    lines = [];
    const say = (_: object, message: string) => void lines.push(message);
    await writeFile(file, "number,host\n+1,tenant-a.example.com\n");
    matcher = await createForTest(plugin, {
      options: { file, check_every: "10s" },
      clock,
      log: { debug: say, info: say, warn: say, error: say },
    });
  });

  afterEach(async () => {
    await matcher.close?.();
    await rm(directory, { recursive: true });
  });

  /** What the matcher says after the file was looked at again. */
  async function saysOf(number: string): Promise<string> {
    await clock.turn(10_000);
    // When it has been looked at, the next look is planned.
    while (clock.waits.length === 0) await settle();
    const answer = await matcher.match(matchView({ number }, HOOKS));
    return answer.kind === "hook" ? answer.hook.host : answer.kind;
  }

  test("is read again, also when another file is put in its place", async () => {
    await writeFile(file, "number,host\n+1,tenant-b.example.com\n+2,tenant-a.example.com\n");
    expect(await saysOf("+1")).toBe("tenant-b.example.com");
    await writeFile(`${file}.new`, "number,host\n+1,tenant-a.example.com\n+2,tenant-b.example.com\n");
    await rename(`${file}.new`, file);
    expect(await saysOf("+1")).toBe("tenant-a.example.com");
    expect(lines).toEqual(["The table of numbers was read again", "The table of numbers was read again"]);
  });

  test("and is wrong, or gone, leaves the last one in force until it is right", async () => {
    await writeFile(file, "number,host\n+1,tenant-b.example.com\nnonsense\n");
    expect(await saysOf("+1")).toBe("tenant-a.example.com");
    await rm(file);
    expect(await saysOf("+1")).toBe("tenant-a.example.com");
    expect(lines).toEqual(Array.from({ length: 2 }, () => "The table of numbers cannot be read: the last one is used"));
    await writeFile(file, "number,host\n+1,tenant-b.example.com\n");
    expect(await saysOf("+1")).toBe("tenant-b.example.com");
  });

  test("is looked at no more when the matcher is closed", async () => {
    await matcher.close?.();
    expect(clock.waits).toEqual([]);
  });
});

describe("a table", () => {
  test("may have a byte order mark, quotes, blanks, empty lines and more columns", () => {
    const table = readTable(
      '\uFEFFname,number,host\r\n"Sales, first", +1 ,tenant-a.example.com\r\n\r\nSupport,2,*.b.example.com\r\n',
    );
    expect([...table]).toEqual([
      ["+1", "tenant-a.example.com"],
      ["2", "*.b.example.com"],
    ]);
  });

  test.each([
    [
      "a number that is none",
      "number,host\n+1,a.example.com\nsales,b.example.com\n",
      'line 3: "sales" is not a number',
    ],
    ["a host that is none", "number,host\n+1,https://a.example.com\n", 'line 2: "https://a.example.com" is not a host'],
    ["a number twice", "number,host\n+1,a.example.com\n+ 1,b.example.com\n", "line 3: + 1 is there twice"],
    ["no such columns", "a,b\n+1,a.example.com\n", 'line 2: "" is not a number'],
    ["a line that is too short", "number,host\n+1\n", "Invalid Record Length"],
  ])("with %s is refused, with its line", (_, csv, message) => {
    expect(() => readTable(csv)).toThrow(message);
  });

  test("that is wrong at start ends the start", async () => {
    const options = { file: "csv-matcher.ts" };
    const created = Promise.resolve(createForTest(plugin, { options, directory: import.meta.dir }));
    await expect(created).rejects.toThrow();
  });
});

test("the README has every option", async () => {
  const readme = (await readFile(join(import.meta.dir, "README.md"), "utf8"))
    .replaceAll(/ +\|/g, " |")
    .replaceAll(/-+ \|/g, "--- |");
  expect(readme).toContain(optionsTable(plugin).join("\n"));
});
