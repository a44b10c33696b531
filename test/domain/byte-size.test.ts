import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { formatByteSize, parseByteSize } from "../../src/domain/byte-size";

describe("a size", () => {
  test.each([
    ["0B", 0],
    ["1B", 1],
    ["4KiB", 4096],
    ["512MiB", 536_870_912],
    ["2GiB", 2_147_483_648],
  ])("%s is %d bytes", (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });

  test.each(["", "5", "GiB", "2 GiB", "2GB", "2gib", "-1B", "1.5GiB", "01B", "1e3B", "2GiB\n", "9007199254740992B"])(
    "%p is none",
    (text) => {
      expect(parseByteSize(text)).toBeUndefined();
    },
  );

  test("whatever is written is read again", () => {
    fc.assert(
      fc.property(fc.nat(), (bytes) => {
        expect(parseByteSize(formatByteSize(bytes))).toBe(bytes);
      }),
    );
  });
});
