import type { SQL } from "bun";
import type { Page } from "../../../../src/contracts/history";
import { writeCursor, type Position } from "../../sql/cursor";
import { MAX_SCANNED } from "../../sql/take-page";

/** A part of a statement. */
export type Part = SQL.Query<unknown>;

/** A row of a scan, and whether the filter lets it through. */
export type ScannedRow = { readonly fits: boolean };

export type PageOptions<Row> = {
  /** A `select` of rows with `fits`, in `order`. */
  readonly scan: Part;
  /** By columns of the scan, as in the index that has them so: then no more rows are read than the page needs. */
  readonly order: Part;
  readonly limit: number;
  readonly position: (row: Row) => Position;
};

/** The first rows of a scan that fit, at most `limit`, and where to go on. */
export async function readPage<Row extends ScannedRow>(sql: SQL, options: PageOptions<Row>): Promise<Page<Row>> {
  const rows = await sql<(Row & { readonly n: number })[]>`${pageStatement(sql, options)}`;
  const entries: Row[] = [];
  let last: (Row & { readonly n: number }) | undefined;
  for (const row of rows) {
    if (last !== undefined && (entries.length === options.limit || last.n === MAX_SCANNED)) {
      return { entries, next: writeCursor(options.position(last)) };
    }
    if (row.fits) entries.push(row);
    last = row;
  }
  return { entries, next: undefined };
}

/**
 * Beside the rows that fit, and one more that says whether there is a next page, the last two that are looked at. All steps
 * have the scan's order, so that none of them has to wait for all its rows (tested by the plans).
 */
export function pageStatement<Row>(sql: SQL, { scan, order, limit }: Omit<PageOptions<Row>, "position">): Part {
  return sql`select * from (
      select scanned.*, row_number() over (order by ${order})::integer as n
      from (${scan} order by ${order} limit ${MAX_SCANNED + 1}) scanned
    ) numbered
    where fits or n >= ${MAX_SCANNED} order by ${order} limit ${limit + 1}`;
}
