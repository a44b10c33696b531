/** Runs the measures and shows them as a table; `bun run bench --help`. */
import { cpus, totalmem, release } from "node:os";
import { writeFile } from "node:fs/promises";
import { Command } from "@commander-js/extra-typings";
import { createBench } from "./bench";
import { isMet, type Figure, type Measure, type Raw } from "./measure";
import { acknowledgements } from "./measures/acknowledgement";
import { backlog } from "./measures/backlog";
import { busy } from "./measures/busy";
import { disk } from "./measures/disk";
import { fairness } from "./measures/fairness";
import { largeTable } from "./measures/large-table";
import { latency } from "./measures/latency";
import { retention } from "./measures/retention";
import { routing } from "./measures/routing";
import { startAndMemory } from "./measures/start-and-memory";
import { wholeWay } from "./measures/whole-way";
import { median } from "./statistics";
import { toTable } from "./table";

const MEASURES: readonly Measure[] = [
  ...acknowledgements,
  busy,
  latency,
  wholeWay,
  fairness,
  routing,
  largeTable,
  backlog,
  startAndMemory,
  disk,
  retention,
];

const program = new Command("bench")
  .description("Measures the service as ratios to reference programs, in one run on one machine.")
  .argument("[names...]", "only measures whose names contain one of these")
  .option("--rounds <n>", "rounds of each measure, of which the medians count", Number, 3)
  .option("--seconds <n>", "how long a load is measured", Number, 5)
  .option("--json <file>", "write the results there as well")
  .addHelpText("after", `\nMeasures:\n${MEASURES.map(({ name }) => `  ${name}`).join("\n")}`)
  .parse();
const [names] = program.processedArgs;
const options = program.opts();

const say = (text: string) => process.stdout.write(`${text}\n`);
const machine = `${cpus().length} cores ${cpus()[0]?.model ?? ""}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Bun ${Bun.version}`;
const bench = await createBench({ seconds: options.seconds });
const results: { readonly measure: string; readonly figures: readonly Figure[]; readonly rounds: readonly Raw[] }[] =
  [];
for (const measure of MEASURES) {
  if (names.length > 0 && !names.some((name) => measure.name.includes(name))) continue;
  const rounds: Raw[] = [];
  for (let n = 0; n < (measure.rounds ?? options.rounds); n++) {
    rounds.push(await measure.round(bench));
    say(`${measure.name}, round ${n + 1}: ${JSON.stringify(rounds.at(-1))}`);
  }
  await measure.end?.();
  const figures = measure.figures((name) => median(rounds.flatMap((raw) => raw[name] ?? [])));
  results.push({ measure: measure.name, figures, rounds });
}
await bench.stop();
say(`\n${machine}\n\n${toTable(results)}`);
if (options.json !== undefined)
  await writeFile(options.json, `${JSON.stringify({ machine, results }, undefined, 2)}\n`);
process.exit(results.every(({ figures }) => figures.every(isMet)) ? 0 : 1);
