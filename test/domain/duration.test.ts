import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { formatDuration, parseDuration } from "../../src/domain/duration";

describe("a duration", () => {
  test.each([
    ["250ms", 250],
    ["1s", 1000],
    ["5m", 300_000],
    ["24h", 86_400_000],
    ["7d", 604_800_000],
    ["0s", 0],
    ["1500ms", 1500],
  ])("%s is %d ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    "",
    "5",
    "s",
    "5 s",
    " 5s",
    "5s\n",
    "5S",
    "-5s",
    "+5s",
    "1.5s",
    "05s",
    "1e3s",
    "1h30m",
    "5min",
    "5w",
    "5us",
    "٥s",
    "104249992d",
    "99999999999999999999s",
  ])("%p is none", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test.each([
    [0, "0s"],
    [1, "1ms"],
    [1000, "1s"],
    [1500, "1500ms"],
    [60_000, "1m"],
    [90_000, "90s"],
    [3_600_000, "1h"],
    [86_400_000, "1d"],
    [90_000_000, "25h"],
  ])("of %d ms is written %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test("is read as it was written", () => {
    const durations = fc.oneof(
      fc.maxSafeNat(),
      fc
        .tuple(fc.nat(10_000), fc.constantFrom(1, 1000, 60_000, 3_600_000, 86_400_000))
        .map(([count, unit]) => count * unit),
    );
    fc.assert(fc.property(durations, (ms) => expect(parseDuration(formatDuration(ms))).toBe(ms)));
  });
});
