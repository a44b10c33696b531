import * as fc from "fast-check";

/** Mostly what LiveKit sends: a token with one fault says more than one with five. */
export function mostly<T>(usual: T, odd: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 7, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: odd });
}
