import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSecretReader } from "../../../../plugins/webhook-forwarder/dispatcher/read-secret";
import type { ReadSecret } from "../../../../src/contracts/read-secret";
import { parseSecretSource } from "../../../../src/domain/secret";
import { temporaryDirectory } from "../../../support/server-process";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let now: number;
let env: Record<string, string>;
let read: ReadSecret;
let file: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
  file = join(directory.path, "secret");
  now = 0;
  env = {};
  read = createSecretReader({ now: () => now, env });
});

afterEach(() => directory.remove());

const value = (text: string): Promise<string> => read(parseSecretSource(text));

test("a literal is itself, a variable its value, a file its content without the last line break", async () => {
  env["TOKEN"] = "of the variable";
  await writeFile(file, "of the file\n\n");
  expect(await value("literal")).toBe("literal");
  expect(await value("env:TOKEN")).toBe("of the variable");
  expect(await value(`file:${file}`)).toBe("of the file\n");
});

describe("a file that changes", () => {
  test("is in force a second later at the latest", async () => {
    await writeFile(file, "old");
    expect(await value(`file:${file}`)).toBe("old");
    await writeFile(file, "new");
    now = 999;
    expect(await value(`file:${file}`)).toBe("old");
    now = 1000;
    expect(await value(`file:${file}`)).toBe("new");
  });

  test("is noticed when a symbolic link is exchanged, as mounted secrets are", async () => {
    for (const name of ["1", "2"]) {
      await mkdir(join(directory.path, name));
      await writeFile(join(directory.path, name, "secret"), name);
    }
    const link = join(directory.path, "current");
    await symlink("1", link);
    expect(await value(`file:${link}/secret`)).toBe("1");
    await symlink("2", `${link}-new`);
    await rename(`${link}-new`, link);
    now = 1000;
    expect(await value(`file:${link}/secret`)).toBe("2");
  });

  test("that is gone is unavailable, and never answered from memory", async () => {
    await writeFile(file, "old");
    await value(`file:${file}`);
    await rm(file);
    now = 1000;
    await expect(value(`file:${file}`)).rejects.toThrow(`the secret file:${file} cannot be read: ENOENT`);
  });

  test("that was missing is looked at again at once", async () => {
    await expect(value(`file:${file}`)).rejects.toThrow("ENOENT");
    await writeFile(file, "here now");
    expect(await value(`file:${file}`)).toBe("here now");
  });
});

test.each([
  ["a variable that is not set", "env:MISSING", "the secret env:MISSING cannot be read: it is not set, or empty"],
  ["a variable that is empty", "env:EMPTY", "the secret env:EMPTY cannot be read: it is not set, or empty"],
  ["a directory", "file:DIR", "cannot be read: it is not a file"],
  ["a device, which would never end", "file:/dev/zero", "the secret file:/dev/zero cannot be read: it is not a file"],
  ["an empty file", "file:DIR/empty", "cannot be read: it is empty"],
  ["a file of more than 64 KiB", "file:DIR/large", "cannot be read: it is larger than 64 KiB"],
])("%s is unavailable, and the error names the reference", async (_, reference, message) => {
  env["EMPTY"] = "";
  await writeFile(join(directory.path, "empty"), "\n");
  await writeFile(join(directory.path, "large"), "x".repeat(64 * 1024 + 1));
  const text = reference.replace("DIR", directory.path);
  await expect(value(text)).rejects.toThrow(message);
  await expect(value(text)).rejects.toThrow(text);
});
