/** RFC 3339 section 5.6: a day, a time and an offset, so that it is the same moment everywhere. */
export const INSTANT_PATTERN =
  "^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)$";

const FORM = new RegExp(INSTANT_PATTERN);

/** Milliseconds since the epoch of `2030-01-31T12:00:00Z`; undefined for what is no such time, the 31st of April included. */
export function parseInstant(text: string): number | undefined {
  if (!FORM.test(text)) return undefined;
  // Date.parse makes the 1st of May of it.
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || day.getUTCDate() !== Number(text.slice(8, 10))) return undefined;
  return Date.parse(text);
}
