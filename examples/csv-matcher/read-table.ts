import { parse } from "csv-parse/sync";
import { normalizeNumber, parseHostPattern } from "sayna-sip";

/** The host of the hook of each number. */
export type NumberTable = ReadonlyMap<string, string>;

/**
 * Reads a table of numbers and hosts.
 *
 * @throws Error that names the line. One that is wrong spoils the whole table, because the calls of a line that is left out
 *   would silently go elsewhere.
 */
export function readTable(csv: string): NumberTable {
  const rows: { number?: string; host?: string; line: number }[] = parse(csv, {
    bom: true,
    columns: true,
    trim: true,
    skip_empty_lines: true,
    on_record: (record: Record<string, string>, { lines }) => ({ ...record, line: lines }),
  });
  const table = new Map<string, string>();
  for (const { number = "", host = "", line } of rows) {
    const normal = normalizeNumber(number);
    if (normal === undefined) throw new Error(`line ${line}: ${JSON.stringify(number)} is not a number`);
    if (parseHostPattern(host) === undefined) throw new Error(`line ${line}: ${JSON.stringify(host)} is not a host`);
    if (table.has(normal)) throw new Error(`line ${line}: ${number} is there twice`);
    table.set(normal, host);
  }
  return table;
}
