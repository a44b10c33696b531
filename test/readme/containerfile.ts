import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./readme";

/** One instruction: its name in capitals, and what follows on its lines. */
export type Instruction = { readonly name: string; readonly rest: string };

export type Stage = {
  readonly base: string;
  /** What stands behind `AS`. */
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
};

/** The stages of the Containerfile; the last one is the image. */
export function readStages(): readonly Stage[] {
  const text = readFileSync(join(ROOT, "Containerfile"), "utf8")
    .replaceAll(/^\s*#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, "");
  const stages: { base: string; name: string | undefined; instructions: Instruction[] }[] = [];
  for (const line of text.split("\n").filter((each) => each.trim() !== "")) {
    const [name = "", rest = ""] = line.split(/ (.*)/s);
    if (name === "FROM") {
      const [base = "", , stage] = rest.split(" ");
      stages.push({ base, name: stage, instructions: [] });
    } else stages.at(-1)?.instructions.push({ name, rest });
  }
  return stages;
}

/** The last stage: what is run. */
export function readImage(): Stage {
  const image = readStages().at(-1);
  if (image === undefined) throw new Error("the Containerfile has no stage");
  return image;
}

/** The texts behind all instructions of this name. */
export const restsOf = ({ instructions }: Stage, name: string): readonly string[] =>
  instructions.filter((instruction) => instruction.name === name).map(({ rest }) => rest);

/** The words behind an instruction that is written as JSON. */
export function wordsOf(stage: Stage, name: "ENTRYPOINT" | "CMD"): readonly string[] {
  const [json = "[]"] = restsOf(stage, name);
  return JSON.parse(json) as readonly string[];
}

/** The variables that the image sets. */
export function environmentOf(stage: Stage): Readonly<Record<string, string>> {
  const pairs = restsOf(stage, "ENV").flatMap((rest) => rest.split(" "));
  return Object.fromEntries(pairs.map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]));
}
