import { expect, test } from "bun:test";
import { sameValue } from "../../src/domain/same-value";
import { Secret } from "../../src/domain/secret";

test.each([
  [true, { a: [1, { b: "x" }] }, { a: [1, { b: "x" }] }],
  [true, { a: 1, b: undefined }, { a: 1 }],
  [true, { s: new Secret("x") }, { s: new Secret("x") }],
  [false, { s: new Secret("x") }, { s: new Secret("y") }],
  [false, new Secret("x"), {}],
  [false, [1, 2], [2, 1]],
  [false, [1], [1, 2]],
  [false, [], {}],
  [false, null, {}],
  [false, { a: 1 }, { a: 1, b: null }],
  [false, "1", 1],
])("%p: %p and %p", (same, a, b) => {
  expect([sameValue(a, b), sameValue(b, a)]).toEqual([same, same]);
});
