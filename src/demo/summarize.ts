import type { TenantTally, Verdict } from "./check-deliveries";
import type { Paint } from "./paint";
import type { Answered } from "./play-call";

/** The closing table, and what is not as promised. */
export function summarize(
  { tallies, problems }: Verdict,
  answered: readonly Answered[],
  seconds: number,
  paint: Paint,
): string {
  const rows: readonly (readonly [string, (tally: TenantTally) => string | number])[] = [
    ["sent by LiveKit", ({ sent }) => sent],
    ["acknowledged", ({ acknowledged }) => acknowledged],
    ["received", ({ received }) => received],
    ["signature verified", ({ verified }) => verified],
    ["same bytes", ({ exact }) => exact],
    ["in order", ({ inOrder }) => (inOrder ? "yes" : "NO")],
    ["missing", ({ missing }) => missing],
  ];
  const table = [
    `  ${"".padEnd(20)}${tallies.map(({ tenant }) => tenant.padStart(10)).join("")}`,
    ...rows.map(([title, cell]) => `  ${title.padEnd(20)}${tallies.map((t) => String(cell(t)).padStart(10)).join("")}`),
  ];
  return [
    "",
    paint("bold", "Result"),
    "",
    ...table,
    "",
    ...timesOf(answered),
    ...ending(problems, seconds, paint),
    "",
  ].join("\n");
}

function timesOf(answered: readonly Answered[]): readonly string[] {
  const times = answered.map(({ ms }) => ms).sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)];
  const longest = times.at(-1);
  if (median === undefined || longest === undefined) return [];
  return [`  Acknowledged, on disk, after ${median.toFixed(1)} ms (median), ${longest.toFixed(1)} ms at most.`, ""];
}

function ending(problems: readonly string[], seconds: number, paint: Paint): readonly string[] {
  if (problems.length > 0) {
    return [paint("red", "Not everything was as promised:"), ...problems.map((problem) => `  - ${problem}`)];
  }
  return [
    paint("green", `Nothing is missing, and all of it came in order. ${seconds.toFixed(1)} s.`),
    "",
    "Next: README.md takes you from an empty VM to the first call of a real LiveKit.",
  ];
}
