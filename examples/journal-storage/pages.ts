import { AppError } from "sayna-sip";
import type { Page, PageRequest } from "sayna-sip";

/** Where an entry stands in its list, which is sorted by both numbers, the first one first. */
export type Position = readonly [number, number];

/** The first entries behind the cursor, and the next cursor: a position, so that new entries move nothing. */
export function pageOf<Entry>(
  entries: readonly Entry[],
  positionOf: (entry: Entry) => Position,
  order: "ascending" | "descending",
  { limit, after }: PageRequest,
): Page<Entry> {
  const sign = order === "ascending" ? 1 : -1;
  const compare = ([a, b]: Position, [c, d]: Position) => sign * (a - c || b - d);
  const from = after === undefined ? undefined : readCursor(after);
  const behind = entries
    .filter((entry) => from === undefined || compare(positionOf(entry), from) > 0)
    .toSorted((a, b) => compare(positionOf(a), positionOf(b)));
  const page = behind.slice(0, limit);
  const last = page.at(-1);
  return {
    entries: page,
    next: behind.length > limit && last !== undefined ? writeCursor(positionOf(last)) : undefined,
  };
}

const writeCursor = (position: Position): string => Buffer.from(position.join(".")).toString("base64url");

function readCursor(cursor: string): Position {
  const [first = "", second = "", ...rest] = Buffer.from(cursor, "base64url").toString("latin1").split(".");
  const position: Position = [Number(first), Number(second)];
  const valid = rest.length === 0 && position.every(Number.isSafeInteger) && writeCursor(position) === cursor;
  if (!valid) throw new AppError("invalid_cursor");
  return position;
}
