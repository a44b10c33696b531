import type { Colour, Paint } from "../../demo/paint";
import type { Finding, Severity } from "../../doctor/finding";
import { visible } from "../visible";

const MARKS: Readonly<Record<Severity, { readonly text: string; readonly colour: Colour }>> = {
  ok: { text: "ok", colour: "green" },
  warning: { text: "warning", colour: "yellow" },
  problem: { text: "problem", colour: "red" },
  skipped: { text: "skipped", colour: "dim" },
};
const WIDTH = Math.max(...Object.values(MARKS).map(({ text }) => text.length));
const INDENT = " ".repeat(WIDTH + 4);

/** The findings under their areas, and how many of them matter. */
export function showFindings(findings: readonly Finding[], paint: Paint): readonly string[] {
  const lines: string[] = [];
  let area: Finding["area"] | undefined;
  for (const finding of findings) {
    if (finding.area !== area) lines.push(...(area === undefined ? [] : [""]), paint("bold", finding.area));
    ({ area } = finding);
    const { text, colour } = MARKS[finding.severity];
    lines.push(`  ${paint(colour, text)}${" ".repeat(WIDTH - text.length)}  ${visible(finding.what)}`);
    if (finding.why !== undefined) lines.push(`${INDENT}${paint("dim", "why: ")} ${visible(finding.why)}`);
    if (finding.mend !== undefined) lines.push(`${INDENT}${paint("dim", "mend:")} ${visible(finding.mend)}`);
  }
  return [...lines, "", summary(findings, paint)];
}

function summary(findings: readonly Finding[], paint: Paint): string {
  const count = (severity: Severity): number => findings.filter((finding) => finding.severity === severity).length;
  const [problems, warnings] = [count("problem"), count("warning")];
  const also = warnings === 0 ? "" : `${problems === 0 ? "; " : ", and "}${many(warnings, "warning")}`;
  if (problems > 0)
    return `${paint("red", `${many(problems, "problem")} that ${problems === 1 ? "loses" : "lose"} calls`)}${also}.`;
  return `${paint("green", "Nothing was found that loses calls")}${also}.`;
}

const many = (number: number, one: string): string => `${number} ${one}${number === 1 ? "" : "s"}`;
