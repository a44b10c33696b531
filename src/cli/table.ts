import type { Colour, Paint } from "../demo/paint";
import { visible } from "./visible";

export type Cell = string | { readonly text: string; readonly colour: Colour };

const GAP = "  ";

/** Columns as wide as their widest cell, each two blanks from the next; the last one is not padded. */
export function renderTable(head: readonly string[], rows: readonly (readonly Cell[])[], paint: Paint): string[] {
  const titles = head.map((text): Cell => ({ text, colour: "bold" }));
  const cells = [titles, ...rows].map((row) => row.map(toVisible));
  const widths = head.map((_, i) => Math.max(...cells.map((row) => Bun.stringWidth(row[i]?.text ?? ""))));
  return cells.map((row) =>
    row
      .map(({ text, colour }, i) => {
        const pad = " ".repeat(i === row.length - 1 ? 0 : (widths[i] ?? 0) - Bun.stringWidth(text));
        return `${colour === undefined ? text : paint(colour, text)}${pad}`;
      })
      .join(GAP)
      .trimEnd(),
  );
}

/** Names and values under each other, the names dimmed; what is undefined is left out. */
export function renderFields(fields: Readonly<Record<string, Cell | undefined>>, paint: Paint): string[] {
  const present = Object.entries(fields).flatMap(([name, cell]) => (cell === undefined ? [] : [{ name, cell }]));
  const width = Math.max(0, ...present.map(({ name }) => name.length));
  return present.map(({ name, cell }) => {
    const { text, colour } = toVisible(cell);
    return `${paint("dim", name.padEnd(width))}${GAP}${colour === undefined ? text : paint(colour, text)}`;
  });
}

function toVisible(cell: Cell): { readonly text: string; readonly colour?: Colour } {
  return typeof cell === "string" ? { text: visible(cell) } : { text: visible(cell.text), colour: cell.colour };
}
