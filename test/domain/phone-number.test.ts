import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { calledNumber } from "../../src/domain/called-number";
import { normalizeNumber } from "../../src/domain/phone-number";

describe("a number", () => {
  test.each([
    ["+15557654321", "+15557654321"],
    ["15557654321", "15557654321"],
    ["+1 (555) 765-43.21", "+15557654321"],
    ["*21*5551#", "*21*5551#"],
    ["112", "112"],
    ["+15557654321;npdi;rn=+1", "+15557654321"],
  ])("%s is compared as %s", (text, number) => {
    expect(normalizeNumber(text)).toBe(number);
  });

  test.each([
    "",
    "+",
    "bob",
    "u%40x",
    "++1",
    "1+",
    "+1\n",
    "\t1",
    "+１５５",
    "7042;phone-context=a.example",
    "7042;x",
    "+1@a",
    "1".repeat(33),
    `+1${" ".repeat(300)}`,
  ])("%p is none", (text) => {
    expect(normalizeNumber(text)).toBeUndefined();
  });

  test("that was normalised stays as it is, and no other text becomes the same", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        const number = normalizeNumber(text);
        if (number === undefined) return;
        expect(normalizeNumber(number)).toBe(number);
        expect(text.replaceAll(/[ \-.()]/g, "").startsWith(number)).toBe(true);
      }),
    );
  });
});

describe("the called number", () => {
  test("is LiveKit's for a call that came in, and none for an outbound leg, where it is the number that calls", () => {
    const inbound = { "sip.ruleID": "SDR_1", "sip.trunkPhoneNumber": "+1555" };
    expect(calledNumber(inbound)).toBe("+1555");
    expect(calledNumber({ "sip.trunkPhoneNumber": "+1555" })).toBeUndefined();
    expect(calledNumber({ ...inbound, "sip.trunkPhoneNumber": "bob" })).toBeUndefined();
    expect(calledNumber({ "sip.ruleID": "SDR_1" })).toBeUndefined();
  });
});
