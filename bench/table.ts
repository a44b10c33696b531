import { isMet, type Figure } from "./measure";

/** A Markdown table of figures, their bars, and whether they are met. */
export function toTable(results: readonly { readonly measure: string; readonly figures: readonly Figure[] }[]): string {
  const rows = results.flatMap(({ measure, figures }) =>
    figures.map(
      (figure) => `| ${measure}: ${figure.name} | ${show(figure)} | ${barOf(figure)} | ${verdictOf(figure)} |`,
    ),
  );
  return ["| measure | figure | bar | |", "|---|---|---|---|", ...rows].join("\n");
}

const show = ({ value, unit }: Figure): string => (unit === undefined ? number(value) : `${number(value)} ${unit}`);

/** Three digits that count. */
function number(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

function barOf({ atLeast, atMost }: Figure): string {
  if (atLeast !== undefined) return `at least ${atLeast}`;
  return atMost === undefined ? "" : `at most ${atMost}`;
}

function verdictOf(figure: Figure): string {
  if (figure.atLeast === undefined && figure.atMost === undefined) return "";
  return isMet(figure) ? "met" : "**not met**";
}
