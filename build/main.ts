/** Makes the binaries; `bun run build --help`. */
import { mkdir, stat } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { Argument, Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import packageJson from "../package.json" with { type: "json" };
import { compileBinary } from "./compile-binary";
import { installRuntimes } from "./install-runtimes";
import { isTarget, TARGETS, type Target } from "./target";
import { writeChecksums } from "./write-checksums";
import { writeLicences } from "./write-licences";

const program = new Command("bun run build")
  .description(`Makes binaries of sayna-sip ${packageJson.version} that need nothing else on the machine.`)
  .addArgument(
    new Argument("[targets...]", `which ones: ${TARGETS.join(", ")}`)
      .argParser(addTarget)
      .default([] as Target[], "all"),
  )
  .addOption(new Option("--out <directory>", "where they go").default(join(import.meta.dir, "../dist"), "dist"))
  .addHelpText("after", "\nExamples:\n  bun run build\n  bun run build linux-arm64 --out /tmp/sayna-sip")
  .showHelpAfterError()
  .parse();
const [named] = program.processedArgs;
const targets = named.length === 0 ? TARGETS : named;
const directory = resolve(program.opts().out);

try {
  await mkdir(directory, { recursive: true });
  const runtimes = await installRuntimes();
  const files: string[] = [];
  const packages = new Set<string>();
  for (const target of targets) {
    const binary = await compileBinary({ target, runtime: runtimes[target], directory });
    files.push(binary.path);
    for (const name of binary.packages) packages.add(name);
    await say(binary.path);
  }
  const licences = join(directory, "LICENCES-OF-PACKAGES.txt");
  await writeLicences([...packages].toSorted(), licences);
  await writeChecksums([licences, ...files]);
  await say(licences);
  await say(join(directory, "SHA256SUMS"));
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

async function say(file: string): Promise<void> {
  const { size } = await stat(file);
  process.stdout.write(`${relative(process.cwd(), file).padEnd(44)} ${(size / 1e6).toFixed(1).padStart(6)} MB\n`);
}

function addTarget(name: string, before: Target[]): Target[] {
  if (!isTarget(name)) throw new InvalidArgumentError(`There are ${TARGETS.join(" and ")}.`);
  return [...before, name];
}
