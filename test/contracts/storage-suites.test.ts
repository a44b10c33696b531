import { expect, test } from "bun:test";
import { join } from "node:path";

/** Runs a suite on one of the storages of storages-to-break.ts; the names of the tests that failed. */
async function failedTests(name: string): Promise<string[]> {
  const child = Bun.spawn([process.execPath, "test", join(import.meta.dir, "storages-to-break.ts")], {
    env: { ...process.env, STORAGE_CASE: name },
    stdout: "ignore",
    stderr: "pipe",
  });
  const output = await new Response(child.stderr).text();
  expect(output).toMatch(/Ran \d+ tests/);
  return [...output.matchAll(/^\(fail\) .* > (.*?) \[/gm)].map(([, failed = ""]) => failed);
}

test("the suite for shared storages finds nothing wrong with one that leases", async () => {
  expect(await failedTests("shares with leases")).toEqual([]);
});

test.each([
  ["shares without leases", "no lane is handed to both: what one has claimed is leased to it"],
  ["disordered", "commits side by side are all kept, each call's in the order in which they were asked for"],
  ["hasty", "killed after 37 fulfilled promises, all of them hold"],
])(
  "the suites notice a storage that is %s",
  async (name, failed) => {
    expect(await failedTests(name)).toContain(failed);
  },
  60_000,
);
