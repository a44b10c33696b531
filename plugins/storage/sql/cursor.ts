import { AppError } from "../../../src/domain/errors";

/** Where in a list's order an entry stands: the columns that it is sorted by. */
export type Position = readonly number[];

/** Later than any time, and a larger id than any. */
export const END = Number.MAX_SAFE_INTEGER;

/** A position as it is handed out: nobody should build one, so it does not look like something to build. */
export function writeCursor(position: Position): string {
  return Buffer.from(position.join(".")).toString("base64url");
}

/**
 * @param length how many columns the list is sorted by.
 * @throws AppError `invalid_cursor`
 */
export function readCursor(cursor: string, length: number): Position {
  const parts = Buffer.from(cursor, "base64url").toString("latin1").split(".");
  const position = parts.map((part) => (/^\d{1,16}$/.test(part) ? Number(part) : Number.NaN));
  const valid = position.length === length && position.every(Number.isSafeInteger);
  // Decoding passes over what is no base64.
  if (!valid || writeCursor(position) !== cursor) throw new AppError("invalid_cursor");
  return position;
}
