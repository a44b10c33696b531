import { expect, test } from "bun:test";
import { join } from "node:path";

/** Runs the suite on one of the matchers of broken-matchers.ts; the names of the tests that failed. */
async function failedTests(matcher: string): Promise<string[]> {
  const child = Bun.spawn([process.execPath, "test", join(import.meta.dir, "broken-matchers.ts"), "--timeout=3000"], {
    env: { ...process.env, MATCHER: matcher },
    stdout: "ignore",
    stderr: "pipe",
  });
  const output = await new Response(child.stderr).text();
  expect(output).toMatch(/Ran \d+ tests/);
  return [...output.matchAll(/^\(fail\) .* > (.*?) \[/gm)].map(([, name = ""]) => name);
}

test("the suite finds nothing wrong with a matcher that is right", async () => {
  expect(await failedTests("right")).toEqual([]);
});

test.each([
  ["wrong", "the number"],
  ["remembers a hook", "no hook that it saw in an earlier table"],
  ["throws at what it does not know", "an answer to a caller with empty values"],
  ["answers with nothing", "another number"],
  ["changes its mind", "the same answers when many ask at once"],
  ["never answers", "the number"],
  ["changes what it is shown", "the number"],
  ["makes hooks of its own", "hooks of the table that it is shown, and never one that is gone"],
])(
  "the suite notices a matcher that is %s",
  async (matcher, name) => {
    expect(await failedTests(matcher)).toContain(name);
  },
  60_000,
);
