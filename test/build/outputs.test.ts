import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeChecksums } from "../../build/write-checksums";
import { writeLicences } from "../../build/write-licences";
import { temporaryDirectory } from "../support/server-process";

const MAIN = new URL("../../build/main.ts", import.meta.url).pathname;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
});

afterAll(() => directory.remove());

test("SHA256SUMS is what sha256sum writes", async () => {
  const [one, two] = [join(directory.path, "one"), join(directory.path, "two")];
  await writeFile(one, "abc");
  await writeFile(two, "");
  await writeChecksums([one, two]);
  // FIPS 180-4's example, and the sum of nothing.
  expect(await readFile(join(directory.path, "SHA256SUMS"), "utf8")).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  one\n" +
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  two\n",
  );
});

test("the licences that go with a binary are each package's own text", async () => {
  const file = join(directory.path, "licences.txt");
  await writeLicences(["node_modules/elysia", "node_modules/swagger-ui-dist"], file);
  const text = await readFile(file, "utf8");
  expect(text).toMatch(/^elysia 1\.4\.30 \(MIT\)\n\n[^]*?Permission is hereby granted, free of charge/m);
  // Its notice as well, which the Apache licence wants to be handed on.
  expect(text).toContain(
    (await readFile(join(import.meta.dir, "../../node_modules/swagger-ui-dist/NOTICE"), "utf8")).trim(),
  );
});

test("a target that there is not is refused with those that there are, before anything is made", () => {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, MAIN, "linux-x86"], { cwd: directory.path });
  expect({ exitCode, stdout: stdout.toString() }).toEqual({ exitCode: 1, stdout: "" });
  expect(stderr.toString()).toContain("There are linux-x64 and linux-arm64.");
});
