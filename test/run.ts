/**
 * The test command: types, lint, format, tests, coverage. Everything is run even when something fails, and the last line
 * says how much passed and failed.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { coveredLines } from "./support/covered-lines";

const MIN_COVERED_PERCENT = 90;
const reports = await mkdtemp(join(tmpdir(), "sayna-sip-reports-"));
const junit = join(reports, "junit.xml");
let passed = 0;
let failed = 0;

async function run(title: string, command: string[]): Promise<boolean> {
  console.log(`\n== ${title}: ${command.join(" ")}`);
  const code = await Bun.spawn([process.execPath, ...command], { stdout: "inherit", stderr: "inherit" }).exited;
  return code === 0;
}

function count(title: string, ok: boolean): void {
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? "passed" : "FAILED"}: ${title}`);
}

count("types", await run("types", ["run", "types"]));
count("lint", await run("lint", ["run", "lint"]));
count("format", await run("format", ["fmt", "--check"]));
const coverage = ["--coverage", "--coverage-reporter=lcov", `--coverage-dir=${reports}`];
const testsPassed = await run("tests", [
  "test",
  ...process.argv.slice(2),
  // Two at a time, for two cores, files after files in the same two processes: each start costs a second.
  "--parallel=2",
  "--no-isolate",
  "--timeout=240000",
  "--only-failures",
  "--reporter=junit",
  `--reporter-outfile=${junit}`,
  ...coverage,
]);
const totals = /<testsuites [^>]*tests="(\d+)"[^>]*failures="(\d+)"[^>]*skipped="(\d+)"/.exec(
  await readFile(junit, "utf8").catch(() => ""),
);
const [tests = 0, failures = 0, skipped = 0] = (totals ?? []).slice(1).map(Number);
passed += tests - failures - skipped;
// A crash between tests fails the run without failing a test.
failed += Math.max(failures, testsPassed ? 0 : 1);
if (tests === 0) count("tests were found", false);

const percent = await coveredLines(join(reports, "lcov.info"));
count(
  `${percent.toFixed(1)} % of the lines of src and plugins that tests run in their own process covered, at least ${MIN_COVERED_PERCENT} %`,
  percent >= MIN_COVERED_PERCENT,
);
await rm(reports, { recursive: true });
console.log(`\n${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`);
process.exit(failed === 0 ? 0 : 1);
