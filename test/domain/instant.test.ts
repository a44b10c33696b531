import { expect, test } from "bun:test";
import { parseInstant } from "../../src/domain/instant";

test.each([
  ["2030-01-31T12:00:00Z", Date.UTC(2030, 0, 31, 12)],
  ["2030-01-31T12:00:00.250Z", Date.UTC(2030, 0, 31, 12, 0, 0, 250)],
  ["2030-01-31T12:00:00+01:00", Date.UTC(2030, 0, 31, 11)],
  ["2028-02-29T23:59:59-00:30", Date.UTC(2028, 2, 1, 0, 29, 59)],
])("%s is a time", (text, ms) => {
  expect(parseInstant(text)).toBe(ms);
});

test.each([
  "",
  "2030-01-31",
  "2030-01-31T12:00:00",
  "2030-01-31 12:00:00Z",
  "2030-02-30T12:00:00Z",
  "2030-04-31T12:00:00+02:00",
  "2030-13-01T12:00:00Z",
  "2030-01-31T24:00:00Z",
  "2030-01-31T12:00:60Z",
  "1893412800",
  "2030-01-31T12:00:00Z ",
])("'%s' is none", (text) => {
  expect(parseInstant(text)).toBeUndefined();
});
