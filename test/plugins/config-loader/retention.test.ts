import { describe, expect, test } from "bun:test";
import { load, messagesOf, problemsOf } from "./load-text";

describe("retention", () => {
  test("ages are read into milliseconds, the size into bytes", () => {
    const { retention } = load("retention: {delivered: 1h, dead: 90d, unmatched: 2d, max_size: 64MiB}");
    expect(retention).toEqual({
      delivered: 3_600_000,
      dead: 7_776_000_000,
      unmatched: 172_800_000,
      max_size: 67_108_864,
    });
  });

  test.each([
    ["delivered: 59m", "retention.delivered (59m) is shorter than 1h"],
    ["dead: 1s", "retention.dead (1s) is shorter than 1h"],
    ["unmatched: 1ms", "retention.unmatched (1ms) is shorter than 1h"],
    ["delivered: 0s", "retention.delivered is not a duration: '0s'"],
    ["max_size: 63MiB", "retention.max_size (63MiB) is less than 64MiB"],
    ["max_size: 2GB", "retention.max_size is not a size: '2GB'"],
    ["max_size: 2147483648", "retention.max_size must be a size such as 2GiB, not a number"],
    ["kept: 7d", "Unknown key 'kept' in retention"],
  ])("%s is refused", (setting, message) => {
    expect(messagesOf(`retention: {${setting}}`)).toEqual([message]);
  });

  test("what a variable sets wrong is said of the variable", () => {
    const problems = problemsOf("", { RETENTION_MAX_SIZE: "1MiB" });
    expect(problems.map(({ source }) => source)).toEqual(["RETENTION_MAX_SIZE"]);
  });
});
