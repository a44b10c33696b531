import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { jsonFault } from "../../../plugins/config-loader/json-fault";

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe("where a text stops being JSON", () => {
  test.each([
    ["", 0],
    ["  ", 2],
    ["[1, 2", 5],
    ["[1, 2}", 5],
    ["[1 2]", 3],
    ['{"a" 1}', 5],
    ['{"a": }', 6],
    ["{a: 1}", 1],
    ['{"a": 1,}', 8],
    ['"a\nb"', 2],
    ['"\\x"', 1],
    ['"abc', 4],
    ["01", 1],
    ["1.", 1],
    ["nul", 0],
    ["[] []", 3],
  ])("%j: at %d", (text, at) => {
    expect(jsonFault(text)).toBe(at);
  });

  test("JSON has no such place", () => {
    fc.assert(fc.property(fc.json(), (text) => jsonFault(text) === undefined));
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => jsonFault(JSON.stringify(value, null, "\t")) === undefined),
    );
  });

  test("it finds a fault exactly where JSON.parse finds one", () => {
    const piece = fc.constantFrom(...'{}[]:,"\\ \n\t-+.eE019a'.split(""), "true", "null", '"a"', "\\u00e9", "\\u12");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("");
        expect({ text, json: jsonFault(text) === undefined }).toEqual({ text, json: isJson(text) });
      }),
      { numRuns: 5000 },
    );
  });

  test("hostile nesting does not overflow the stack", () => {
    expect(jsonFault("[".repeat(1_000_000))).toBeNumber();
  });
});
