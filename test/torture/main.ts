/** The torture suite at length: `bun run torture [scenario…]`. */
import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { Report, Scenario } from "./scenario";
import { fleetScenarios } from "./fleet";
import { scenarios as all } from "./scenarios";

const program = new Command("torture")
  .description("Breaks the service in many ways and looks at its promises. The same seed repeats the same choices.")
  .argument("[scenario...]", "which ones; all without one")
  .option("--seed <number>", "repeats the choices of an earlier run", wholeNumber)
  .option("--rounds <number>", "how much of each, in its unit, instead of the usual", wholeNumber)
  .option("--short", "the sizes that are a part of the tests")
  .addOption(
    new Option("--storage <name>", "postgres: three instances on it, which it starts, or at TEST_POSTGRES_URL")
      .choices(["sqlite", "postgres"] as const)
      .default("sqlite" as const),
  )
  .addHelpText("after", `\nScenarios:\n${listed(all)}\n\nWith --storage postgres:\n${listed(fleetScenarios)}`)
  .parse();

function listed(some: readonly Scenario[]): string {
  return some.map(({ name, about, long, unit }) => `  ${name.padEnd(16)} ${about} (${long} ${unit})`).join("\n");
}

function wholeNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

const { seed = Math.floor(Math.random() * 2 ** 31), rounds, short, storage } = program.opts();
const scenarios = storage === "postgres" ? fleetScenarios : all;
const [names] = program.processedArgs;
const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name === name));
if (unknown.length > 0) program.error(`There is no scenario ${unknown.join(", ")}; --help lists them.`);
const chosen = names.length === 0 ? scenarios : scenarios.filter(({ name }) => names.includes(name));

console.log(`seed ${seed}`);
const results: { scenario: Scenario; size: number; seconds: number; report: Report }[] = [];
for (const scenario of chosen) {
  const size = rounds ?? (short === true ? scenario.short : scenario.long);
  console.log(`… ${scenario.name}: ${scenario.about} (${size} ${scenario.unit})`);
  const started = performance.now();
  const report = await scenario.run(seed, size).catch((error: unknown): Report => {
    return { figures: {}, broken: [`it ended in an error: ${error instanceof Error ? error.stack : String(error)}`] };
  });
  results.push({ scenario, size, seconds: Math.round((performance.now() - started) / 1000), report });
}
for (const { scenario, size, seconds, report } of results) {
  const verdict = report.broken.length === 0 ? "held" : "BROKEN";
  console.log(`\n== ${scenario.name} (${size} ${scenario.unit}, ${seconds} s): ${verdict}`);
  const width = Math.max(0, ...Object.keys(report.figures).map((name) => name.length));
  for (const [name, value] of Object.entries(report.figures)) console.log(`  ${name.padEnd(width)}  ${value}`);
  for (const broken of report.broken) console.log(`  BROKEN: ${broken}`);
}
const failed = results.filter(({ report }) => report.broken.length > 0);
console.log(
  failed.length === 0
    ? `\nEvery promise held (seed ${seed}).`
    : `\nBroken: ${failed.map(({ scenario }) => scenario.name).join(", ")}. To see it again: bun run torture --storage ${storage} --seed ${seed} ${failed.map(({ scenario }) => scenario.name).join(" ")}`,
);
process.exit(failed.length === 0 ? 0 : 1);
